// Rules found by following a document agree with rules compared one by one, and cost what fits the
// document, not what the policy has.

#include "policies/plan/json_walk.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/json_matcher.h"
#include "tests/proxy/body/random.h"

namespace paravent::policies {
namespace {

using proxy::body::test::Random;

std::vector<SelectorStep> steps(const std::string& text) {
  return std::get<FieldSelector>(parse_selector(text)).steps;
}

constexpr std::string_view kKeys[] = {"a",        "A",       "b", "B", "c", "k", "\xE2\x84\xAA",
                                      "\xC3\xA9", "\xC3\x89"};

std::string random_selector(Random& random) {
  std::string text = "json";
  for (std::size_t left = 1 + random.below(4); left > 0; --left) {
    switch (random.below(8)) {
      case 0:
        text.append("[*]");
        break;
      case 1:
        text.append(".*");
        break;
      case 2:
        text.append("..").append(random.pick(kKeys));
        break;
      case 3:
        text.append("[").append(std::to_string(random.below(3))).append("]");
        break;
      case 4:
        text.append("[k=").append(random.pick(kKeys)).append("]");
        break;
      default:
        text.append(".").append(random.pick(kKeys));
    }
  }
  return text;
}

// A document of random shape, whose values and containers are looked up in their order.
class Document {
 public:
  using Look = std::function<void(JsonPath, bool container)>;

  Document(Random& random, Look look) : random_(random), look_(std::move(look)) {}
  void visit(std::size_t depth) {
    const bool container = depth > 0 && (path_.empty() || !random_.one_in(3));
    if (container && !path_.empty() && path_.back().is_index) {
      path_.back().filters_any_case = random_.next();
      path_.back().filters = path_.back().filters_any_case & random_.next();
      if (random_.one_in(2)) path_.back().filters = path_.back().filters_any_case;
    }
    look_(path_, container);
    if (!container) return;
    const bool is_array = random_.one_in(2);
    for (std::uint32_t i = 0, n = static_cast<std::uint32_t>(random_.below(5)); i < n; ++i) {
      PathStep step;
      step.is_index = is_array;
      step.index = is_array ? i : 0;
      if (!is_array) step.key = random_.pick(kKeys);
      path_.push_back(step);
      visit(depth - 1);
      path_.pop_back();
    }
  }

 private:
  Random& random_;
  Look look_;
  std::vector<PathStep> path_;
};

TEST(JsonWalk, FindsWhatAComparisonOfEachRuleFinds) {
  std::size_t found = 0;
  std::size_t folded = 0;
  std::size_t led_on = 0;
  std::size_t led_nowhere = 0;
  JsonWalk walk;  // one for all of them, as a worker has
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    std::vector<FieldAction> actions(60);
    for (FieldAction& action : actions) {
      action.action = random.one_in(2) ? ActionKind::keep : ActionKind::mask;
      if (random.one_in(4)) action.otherwise = &actions.front();
    }
    std::vector<JsonMatcher::Entry> entries;
    const bool any_depth = random.one_in(2);  // and anything may match below anything
    for (const FieldAction& action : actions) {
      std::string selector = random_selector(random);
      while (!any_depth && selector.find("..") != std::string::npos) {
        selector = random_selector(random);
      }
      entries.push_back({steps(selector), &action});
    }
    const JsonMatcher matcher(entries);
    for (int text = 0; text < 3; ++text) {
      matcher.begin(walk);
      const bool any_case = random.one_in(2);
      Document document(random, [&](JsonPath path, bool container) {
        const FieldAction* expected = matcher.find(path, any_case);
        ASSERT_EQ(matcher.find(path, any_case, walk), expected) << seed;
        if (container) {
          walk.enter(path.size());
          if (matcher.find(path) == nullptr) {
            const bool leads_on = matcher.leads_below(path, walk);
            ASSERT_EQ(leads_on, matcher.may_match_below(path)) << seed;
            ++(leads_on ? led_on : led_nowhere);
          }
        }
        if (expected == nullptr) return;
        ++found;
        if (expected != matcher.find(path, !any_case)) ++folded;
      });
      document.visit(5);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(found, 10'000U);
  EXPECT_GT(folded, 100U);
  EXPECT_GT(led_on, 1'000U);
  EXPECT_GT(led_nowhere, 1'000U);
}

// Steps of the walk while the elements of one array are looked up under these rules.
std::uint64_t steps_for(const std::vector<std::string>& selectors, const std::string& array,
                        std::uint32_t elements, const std::string& member, std::size_t& found) {
  FieldAction action;
  action.action = ActionKind::mask;
  std::vector<JsonMatcher::Entry> entries;
  for (const std::string& selector : selectors) entries.push_back({steps(selector), &action});
  const JsonMatcher matcher(std::move(entries));
  JsonWalk walk;
  matcher.begin(walk);
  std::vector<PathStep> path;
  const auto look = [&](bool container) {
    if (matcher.find(path, true, walk) != nullptr) ++found;
    if (container) walk.enter(path.size());
  };
  look(true);
  path.push_back({array, 0, false});
  look(true);
  for (std::uint32_t i = 0; i < elements; ++i) {
    path.push_back({{}, i, true});
    look(!member.empty());
    if (!member.empty()) {
      path.push_back({member, 0, false});
      look(false);
      path.pop_back();
    }
    path.pop_back();
  }
  return walk.steps();
}

// The sender chooses the elements, the policy has many rules: their product must not be the cost.
TEST(JsonWalk, AnElementCostsTheSameHoweverManyRulesThereAre) {
  constexpr std::uint32_t kElements = 10'000;
  struct Shape {
    const char* in_front;
    const char* behind;
    const char* member;
  };
  const std::vector<Shape> shapes = {
      {"json.list", "[*]", ""},           {"json.list", "[*].mail", "mail"},
      {"json.list", "[*].*", "x"},        {"json..list", "[*]", ""},
      {"json..list", "[*].mail", "mail"}, {"json.list", "[*]..mail", "mail"}};
  for (const Shape& shape : shapes) {
    const auto cost = [&](std::size_t rules, const std::string& array, std::size_t& found) {
      std::vector<std::string> selectors;
      for (std::size_t i = 0; i < rules; ++i) {
        selectors.push_back(shape.in_front + std::to_string(i) + shape.behind);
      }
      return steps_for(selectors, array, kElements, shape.member, found);
    };
    std::size_t found = 0;
    const std::uint64_t few = cost(20, "list7", found);
    EXPECT_EQ(found, kElements) << shape.behind << shape.member;
    const std::uint64_t many = cost(2000, "list7", found);
    EXPECT_EQ(found, 2 * kElements);
    EXPECT_EQ(many, few) << shape.behind << ": not a step more for a hundred times as many rules";
    EXPECT_LE(many, 16 * kElements);
    std::size_t none = 0;
    EXPECT_LE(cost(2000, "other", none), many) << "nor where none of them is met";
    EXPECT_EQ(none, 0U);
  }
}

TEST(JsonWalk, ElementsByNumberAndByMemberCostWhatHolds) {
  std::vector<std::string> selectors;
  for (std::size_t i = 0; i < 2000; ++i)
    selectors.push_back("json.list[" + std::to_string(i) + "]");
  std::size_t found = 0;
  EXPECT_LE(steps_for(selectors, "list", 10'000, "", found), 8 * 10'000U);
  EXPECT_EQ(found, 2000U);
}

}  // namespace
}  // namespace paravent::policies
