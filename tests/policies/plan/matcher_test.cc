#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/flat_matcher.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/name_rules.h"

namespace paravent::policies {
namespace {

// Actions to point at; only their addresses matter.
std::vector<FieldAction> actions(std::size_t count) { return std::vector<FieldAction>(count); }

TEST(FlatMatcher, FindsLiteralsBeforePatternsInOrder) {
  const auto a = actions(4);
  const FlatMatcher matcher({{"utm_*", true, &a[0]},
                             {"utm_source", false, &a[1]},
                             {"utm_*campaign*", true, &a[2]},
                             {"*", true, &a[3]}},
                            false);
  EXPECT_EQ(matcher.find("utm_source"), &a[1]);
  EXPECT_EQ(matcher.find("utm_campaign"), &a[0]);
  EXPECT_EQ(matcher.find("UTM_source"), &a[3]);
  EXPECT_EQ(matcher.find(""), &a[3]);
}

TEST(FlatMatcher, FindsNothingThatIsNotListed) {
  const auto a = actions(2);
  const FlatMatcher matcher({{"email", false, &a[0]}, {"a*b*c", true, &a[1]}}, false);
  for (const char* name : {"", "emai", "email2", "Email", "ab", "acb", "xabc", "abcx"}) {
    EXPECT_EQ(matcher.find(name), nullptr) << name;
  }
  EXPECT_EQ(matcher.find("abc"), &a[1]);
  EXPECT_EQ(matcher.find("a-b-c"), &a[1]);
  EXPECT_EQ(matcher.find("abcbc"), &a[1]);
}

TEST(FlatMatcher, PatternPiecesDoNotOverlap) {
  const auto a = actions(1);
  const FlatMatcher matcher({{"ab*ba", true, &a[0]}}, false);
  EXPECT_EQ(matcher.find("aba"), nullptr);
  EXPECT_EQ(matcher.find("abba"), &a[0]);
}

TEST(FlatMatcher, FoldsAsciiCaseOnlyWhereAsked) {
  const auto a = actions(2);
  const FlatMatcher folding({{"user-agent", false, &a[0]}, {"sec-*-ua", true, &a[1]}}, true);
  EXPECT_EQ(folding.find("User-Agent"), &a[0]);
  EXPECT_EQ(folding.find("USER-AGENT"), &a[0]);
  EXPECT_EQ(folding.find("Sec-CH-UA"), &a[1]);
  // These differ from "user-agent" only in bit 5, which the hash ignores and the comparison must
  // not.
  EXPECT_EQ(folding.find("user\ragent"), nullptr);
  EXPECT_EQ(folding.find(std::string("user-agent\0", 11)), nullptr);
}

// PHP reads `email[]` into the array `email`: what a rule says of the one it says of the other.
TEST(NameRules, PhpLiteralsOfArraysBeforePatterns) {
  const auto a = actions(3);
  const NameRules rules(
      {{"email", false, &a[0]}, {"user[email]", false, &a[1]}, {"*", true, &a[2]}},
      NameRules::Reading::php, false);
  for (const char* name : {"email", "email[]", "email[x][y]", " email[]"}) {
    EXPECT_EQ(rules.find(name), &a[0]) << name;
  }
  for (const char* name : {"user[email]", "user[email][]", "user[email]x"}) {
    EXPECT_EQ(rules.find(name), &a[1]) << name;
  }
  for (const char* name : {"user[name]", "emails", "user", "Email"}) {
    EXPECT_EQ(rules.find(name), &a[2]) << name;
  }
}

TEST(NameRules, PhpPatternsOfElementsBeforeTheirArray) {
  const auto a = actions(6);
  const NameRules rules({{"wp", false, &a[0]},
                         {"*[email]", true, &a[1]},
                         {"wp[fields][*]", true, &a[2]},
                         {"user[*]", true, &a[3]},
                         {"*", true, &a[4]},
                         {"user[tel]", false, &a[5]}},
                        NameRules::Reading::php, false);
  EXPECT_EQ(rules.find("wp[fields][1]"), &a[2]);
  EXPECT_EQ(rules.find("wp[other]"), &a[0]);
  EXPECT_EQ(rules.find("wp[email]"), &a[0]);
  EXPECT_EQ(rules.find("wp"), &a[0]);
  EXPECT_EQ(rules.find("other[x]"), &a[4]);
  // Without a literal of the array the first pattern of the policy, as everywhere.
  EXPECT_EQ(rules.find("user[email]"), &a[1]);
  EXPECT_EQ(rules.find("user[x]"), &a[3]);
  // A pattern of the outer array does not reach into the inner one.
  EXPECT_EQ(rules.find("user[tel][]"), &a[5]);
}

// A pattern's brackets and stars stay what they are.
TEST(NameRules, PhpPatternsKeepTheirStars) {
  const auto a = actions(4);
  const NameRules rules({{"wpforms[*", true, &a[0]},
                         {"data[x]*", true, &a[1]},
                         {"my form.*", true, &a[2]},
                         {"tag[*]", true, &a[3]}},
                        NameRules::Reading::php, true);
  EXPECT_EQ(rules.find("wpforms[fields][1]"), &a[0]);
  EXPECT_EQ(rules.find("data[x]"), &a[1]);
  EXPECT_EQ(rules.find("data[x][y]"), &a[1]);
  EXPECT_EQ(rules.find("data[x]junk"), &a[1]);
  EXPECT_EQ(rules.find("my.form.tel"), &a[2]);
  EXPECT_EQ(rules.find("my_form_tel"), &a[2]);
  EXPECT_EQ(rules.find("tag[a]"), &a[3]);
  EXPECT_EQ(rules.find("data[z]"), nullptr);
  EXPECT_EQ(rules.find("wpforms"), nullptr);
}

TEST(FlatMatcher, HoldsManyNames) {
  const auto a = actions(1000);
  std::vector<FlatMatcher::Entry> entries;
  for (std::size_t i = 0; i < a.size(); ++i) {
    entries.push_back({"field_" + std::to_string(i), false, &a[i]});
  }
  const FlatMatcher matcher(entries, false);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(matcher.find("field_" + std::to_string(i)), &a[i]);
    ASSERT_EQ(matcher.find("field_" + std::to_string(i) + "x"), nullptr);
  }
}

TEST(FlatMatcher, HostileNamesStayCheap) {
  const auto a = actions(1);
  const FlatMatcher matcher({{"*a*a*a*a*a*a*a*a*b", true, &a[0]}}, false);
  EXPECT_EQ(matcher.find(std::string(200000, 'a')), nullptr);
}

std::vector<SelectorStep> steps(std::string_view text) {
  return std::get<FieldSelector>(parse_selector(text)).steps;
}

// "a", 0, "b": a path of keys and indexes.
struct Step : PathStep {
  Step(const char* text) : PathStep{text, 0, false} {}        // NOLINT(google-explicit-constructor)
  Step(std::uint32_t number) : PathStep{{}, number, true} {}  // NOLINT(google-explicit-constructor)
};

std::vector<PathStep> path(const std::vector<Step>& given) { return {given.begin(), given.end()}; }

bool selects(std::string_view selector, const std::vector<Step>& where) {
  const FieldAction action;
  const JsonMatcher matcher({{steps(selector), &action}});
  return matcher.find(path(where)) == &action;
}

bool may_select_below(std::string_view selector, const std::vector<Step>& where) {
  const FieldAction action;
  const JsonMatcher matcher({{steps(selector), &action}});
  return matcher.may_match_below(path(where));
}

TEST(JsonMatcher, SelectsKeysElementsAndDepths) {
  EXPECT_TRUE(selects("json.a.b", {"a", "b"}));
  EXPECT_FALSE(selects("json.a.b", {"a"}));
  EXPECT_FALSE(selects("json.a.b", {"a", "b", "c"}));
  EXPECT_FALSE(selects("json.a.b", {"x", "b"}));
  EXPECT_TRUE(selects("json.items[*].mail", {"items", 7U, "mail"}));
  EXPECT_FALSE(selects("json.items[*].mail", {"items", "mail"}));
  EXPECT_FALSE(selects("json.items[*].mail", {"items", "x", "mail"}));
  EXPECT_TRUE(selects("json[*]", {3U}));
  EXPECT_TRUE(selects("json.props.*", {"props", "any"}));
  EXPECT_FALSE(selects("json.props.*", {"props", 0U}));
  EXPECT_FALSE(selects("json.a", {}));
}

TEST(JsonMatcher, DescendantsAreFoundAtAnyDepth) {
  EXPECT_TRUE(selects("json..mail", {"mail"}));
  EXPECT_TRUE(selects("json..mail", {"a", 0U, "b", "mail"}));
  EXPECT_FALSE(selects("json..mail", {"mail", "x"}));
  EXPECT_TRUE(selects("json.user..mail", {"user", "x", "mail"}));
  EXPECT_FALSE(selects("json.user..mail", {"other", "x", "mail"}));
  EXPECT_TRUE(selects("json..a.b", {"a", "a", "b"}));
  EXPECT_TRUE(selects("json..a..b", {"a", "x", "b"}));
  EXPECT_TRUE(selects("json..a.b", {"a", "x", "a", "b"}));
  EXPECT_FALSE(selects("json..a.b", {"a", "x", "b"}));
  EXPECT_TRUE(selects("json..a[*]", {"x", "a", 1U}));
}

TEST(JsonMatcher, LiteralSelectorsComeFirst) {
  const auto a = actions(3);
  const JsonMatcher matcher({{steps("json..mail"), &a[0]},
                             {steps("json.user.mail"), &a[1]},
                             {steps("json.user.*"), &a[2]}});
  EXPECT_EQ(matcher.find(path({"user", "mail"})), &a[1]);
  EXPECT_EQ(matcher.find(path({"x", "mail"})), &a[0]);
  EXPECT_EQ(matcher.find(path({"user", "name"})), &a[2]);
  EXPECT_EQ(matcher.find(path({"user", "x", "name"})), nullptr);
}

// Names that differ only in case: the rule's to some readers. The exact one still comes first.
TEST(JsonMatcher, OtherSpellingsCountWhereTheyAreAskedFor) {
  const auto a = actions(6);
  const JsonMatcher matcher({{steps("json.user.mail"), &a[0]},
                             {steps("json.user.MAIL"), &a[1]},
                             {steps("json..Phone"), &a[2]},
                             {steps("json.props.*"), &a[3]},
                             {steps("json.list[*]"), &a[4]},
                             {steps("json.caf\xC3\xA9"), &a[5]}});
  const auto any = [&](const std::vector<Step>& where) { return matcher.find(path(where), true); };
  EXPECT_EQ(any({"user", "mail"}), &a[0]);
  EXPECT_EQ(any({"user", "MAIL"}), &a[1]);
  EXPECT_EQ(any({"User", "Mail"}), &a[0]) << "the first one in the file";
  EXPECT_EQ(any({"USER", "mail"}), &a[0]);
  EXPECT_EQ(any({"x", 1U, "pHONE"}), &a[2]);
  EXPECT_EQ(any({"Props", "any"}), &a[3]);
  EXPECT_EQ(any({"LIST", 3U}), &a[4]);
  EXPECT_EQ(any({"CAF\xC3\xA9"}), &a[5]);
  EXPECT_EQ(any({"CAF\xC3\x89"}), &a[5]);
  EXPECT_EQ(any({"CAFE"}), nullptr);
  EXPECT_EQ(any({"user", "mai1"}), nullptr);
  EXPECT_EQ(any({"us\x85r", "mail"}), nullptr);
  EXPECT_EQ(any({}), nullptr);
  for (const std::vector<Step>& where :
       {std::vector<Step>{"user", "Mail"}, {"User", "mail"}, {"x", "phone"}, {"Props", "x"}}) {
    EXPECT_EQ(matcher.find(path(where)), nullptr) << "not asked for";
  }
}

TEST(JsonMatcher, KeepingAnyMemberDoesNotCoverAnotherSpellingOfARule) {
  auto a = actions(4);
  a[0].action = a[2].action = ActionKind::mask;
  a[1].action = a[3].action = ActionKind::keep;
  const JsonMatcher matcher({{steps("json.props.email"), &a[0]},
                             {steps("json.props.*"), &a[1]},
                             {steps("json..phone"), &a[2]},
                             {steps("json.props.PHONE"), &a[3]}});
  EXPECT_EQ(matcher.find(path({"props", "Email"})), &a[0]);
  EXPECT_EQ(matcher.find(path({"props", "Phone"})), &a[1]) << "to keep, nobody wins by resemblance";
  EXPECT_EQ(matcher.find(path({"props", "PHONE"})), &a[3]) << "kept by its own name";
  EXPECT_EQ(matcher.find(path({"props", "other"})), &a[1]);
  EXPECT_EQ(matcher.find(path({"x", "Phone"})), nullptr);
}

// However the rule that keeps comes to keep, and wherever its star stands.
TEST(JsonMatcher, NoStarThatKeepsCoversAnotherSpelling) {
  auto a = actions(4);
  a[0].action = ActionKind::mask;
  a[1].action = ActionKind::keep;
  a[2].action = ActionKind::mask;
  a[2].otherwise = &a[1];
  const auto found = [&](std::string_view rule, std::string_view star, const FieldAction& what,
                         const std::vector<Step>& where) {
    const JsonMatcher matcher({{steps(rule), &a[0]}, {steps(star), &what}});
    return matcher.find(path(where)) == &a[0];
  };
  EXPECT_TRUE(found("json.email", "json.*", a[2], {"Email"}));
  EXPECT_TRUE(found("json.emails[*]", "json.*[*]", a[1], {"Emails", 0U}));
  EXPECT_TRUE(found("json.customer.name", "json.*.name", a[1], {"Customer", "name"}));
  EXPECT_TRUE(found("json.customer.name", "json..name", a[1], {"Customer", "name"}));
  EXPECT_FALSE(found("json.customer.name", "json.Customer.*", a[1], {"CUSTOMER", "x"}));
  EXPECT_FALSE(found("json.list[*]", "json.List[*]", a[1], {"List", 0U})) << "kept by its own name";
}

// Simple case folding of Latin letters, and of the signs that fold into them.
TEST(JsonMatcher, FoldsWhatReadersFold) {
  const auto a = actions(1);
  const auto same = [&](std::string_view rule, const char* key) {
    const JsonMatcher matcher({{steps(rule), &a[0]}});
    return matcher.find(path({key}), true) == &a[0];
  };
  EXPECT_TRUE(same("json.address", "addre\xC5\xBFs"));        // U+017F
  EXPECT_TRUE(same("json.tracking", "trac\xE2\x84\xAAing"));  // U+212A
  EXPECT_TRUE(same("json.pr\xC3\xA9nom", "PR\xC3\x89NOM"));
  EXPECT_TRUE(same("json.PR\xC3\x89NOM", "pr\xC3\xA9nom"));
  EXPECT_TRUE(same("json.c\xC5\x93ur", "C\xC5\x92UR"));
  EXPECT_TRUE(same("json.\xC5\xBE", "\xC5\xBD"));
  EXPECT_TRUE(same("json.\xC3\xBF", "\xC5\xB8"));
  EXPECT_TRUE(same("json.\xC3\xA5", "\xE2\x84\xAB"));  // U+212B
  EXPECT_FALSE(same("json.\xC3\x97", "\xC3\xB7"));     // a sign for times is no letter
  EXPECT_FALSE(same("json.prenom", "pr\xC3\xA9nom"));
  EXPECT_FALSE(same("json.i", "\xC4\xB0"));
  EXPECT_FALSE(same("json.a\xC3\xA9", "a\xC3"));
}

TEST(JsonMatcher, KnowsWhatLiesBelow) {
  EXPECT_TRUE(may_select_below("json.a.b", {}));
  EXPECT_TRUE(may_select_below("json.a.b", {"a"}));
  EXPECT_TRUE(may_select_below("json.a.b", {"a", "b"}));
  EXPECT_FALSE(may_select_below("json.a.b", {"a", "b", "c"}));
  EXPECT_FALSE(may_select_below("json.a.b", {"b"}));
  EXPECT_TRUE(may_select_below("json.a[*].b", {"a", 5U}));
  EXPECT_FALSE(may_select_below("json.a[*].b", {"a", "x"}));
  EXPECT_TRUE(may_select_below("json..b", {"any", 0U, "where"}));
  EXPECT_FALSE(may_select_below("json.a..b", {"x"}));
}

}  // namespace
}  // namespace paravent::policies
