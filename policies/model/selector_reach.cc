#include "policies/model/selector_reach.h"

#include <algorithm>

#include "policies/model/path_pattern.h"
#include "policies/model/php_name.h"

namespace paravent::policies {
namespace {

using Type = SelectorStep::Type;
using Steps = std::vector<const SelectorStep*>;

bool is_key(const SelectorStep& step) {
  return step.type == Type::key || step.type == Type::descendant;
}

std::string name_of(const FieldSelector& selector, bool php_names) {
  if (!php_names || !is_php_carrier(selector.carrier)) return selector.name;
  return selector.is_pattern ? php_pattern(selector.name) : php_name(selector.name);
}

// Whether `mine` selects every step that `theirs` selects.
bool takes(const SelectorStep& mine, const SelectorStep& theirs) {
  switch (mine.type) {
    case Type::key:
    case Type::descendant:
      return is_key(theirs) && mine.key == theirs.key;
    case Type::any_member:
      return is_key(theirs) || theirs.type == Type::any_member;
    case Type::any_element:
      return theirs.type == Type::any_element || theirs.type == Type::element ||
             theirs.type == Type::element_where;
    case Type::element:
    case Type::element_where:
      return mine == theirs;
  }
  return false;
}

// As a glob on a text in which what `theirs` leaves open is one more letter, that only a run of
// `mine` can take.
bool take_all(const Steps& mine, const Steps& theirs) {
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::size_t m = 0;
  std::size_t t = 0;
  std::size_t run = kNone;
  std::size_t retry = 0;
  while (t < theirs.size()) {
    if (m < mine.size() && mine[m] == nullptr) {
      run = m++;
      retry = t;
    } else if (m < mine.size() && theirs[t] != nullptr && takes(*mine[m], *theirs[t])) {
      ++m;
      ++t;
    } else if (run != kNone) {
      m = run + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return m == mine.size();
}

}  // namespace

SelectorReach::SelectorReach(const FieldSelector& selector, bool php_names)
    : selector_(selector),
      php_names_(php_names && is_php_carrier(selector.carrier)),
      name_(name_of(selector, php_names)),
      in_order_(selector.is_pattern ||
                std::any_of(selector.steps.begin(), selector.steps.end(),
                            [](const SelectorStep& step) { return step.type != Type::key; })) {
  for (const SelectorStep& step : selector.steps) {
    if (step.type == Type::descendant) steps_.push_back(nullptr);
    steps_.push_back(&step);
  }
}

bool SelectorReach::same_as(const SelectorReach& other) const {
  const FieldSelector& theirs = other.selector_;
  return selector_.carrier == theirs.carrier && selector_.is_pattern == theirs.is_pattern &&
         name_ == other.name_ && selector_.steps == theirs.steps && selector_.outer == theirs.outer;
}

bool SelectorReach::leaves_nothing_to(const SelectorReach& later) const {
  const FieldSelector& theirs = later.selector_;
  if (!in_order_ || !later.in_order_) return false;
  if (selector_.carrier != theirs.carrier || selector_.outer != theirs.outer) return false;
  if (selector_.carrier == Carrier::json) return take_all(steps_, later.steps_);
  // PHP's names: beside a rule for an array, patterns of its elements come before all others.
  const auto is_of_elements = [](const std::string& name) {
    return name.find('[') < name.find('*');
  };
  if (php_names_ && is_of_elements(later.name_) && !is_of_elements(name_)) return false;
  // The same way: a '*' of theirs is a letter that only a '*' takes.
  return glob_matches(name_, later.name_);
}

}  // namespace paravent::policies
