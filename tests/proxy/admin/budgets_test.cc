// Budgets: a stolen account reveals ten people and not the customer file.

#include <gtest/gtest.h>

#include <set>

#include "crypto/tokens/token_text.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::audit::EventKind;
using std::chrono::hours;
using std::chrono::minutes;

std::string policy_with(const std::string& budget) {
  std::string text = admin_test_policy();
  const std::string role = "support: { reveal: masked";
  text.replace(text.find(role), role.size(), role + ", " + budget);
  return text;
}

std::vector<std::string> mails(Api& api, int from, int to) {
  std::vector<std::string> tokens;
  for (int i = from; i < to; ++i) {
    tokens.push_back(api.token_of("form.mail", "person" + std::to_string(i) + "@example.org"));
  }
  return tokens;
}

TEST(Budgets, TenPeopleADayAndThenCoolOff) {
  Api api(policy_with("budget: { subjects-per-day: 10, cooling-off-minutes: 120 }"));
  const auto tokens = mails(api, 0, 12);
  const auto ten = std::vector<std::string>(tokens.begin(), tokens.begin() + 10);
  EXPECT_EQ(api.reidentify("support", "contact", ten).status, 200);
  // The same people again are no other people.
  EXPECT_EQ(api.reidentify("support", "contact", ten).status, 200);
  const std::uint64_t before = api.log().size();
  const AdminResponse over = api.reidentify("support", "contact", {tokens[0], tokens[10]});
  EXPECT_EQ(over.status, 429);
  EXPECT_NE(over.body.find("urn:paravent:problem:budget"), std::string::npos);
  EXPECT_EQ(over.headers.at(0), (std::pair<std::string, std::string>{"Retry-After", "7200"}));
  // One entry, which names both tokens; nothing was opened.
  const auto entries = api.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].open.event, EventKind::refusal);
  EXPECT_EQ(entries[0].detail->object, "budget");
  EXPECT_EQ(entries[0].detail->tokens.size(), 2U);
  EXPECT_EQ(entries[0].detail->remark, "reveal operator subjects-per-day cooling-off-minutes=120");
  EXPECT_EQ(api.api->budgets().alarms().at({"support", "subjects-per-day"}), 1U);
  EXPECT_EQ(api.api->counters().read().at({"support", "contact", "budget"}), 2U);
  // Cooling off: not even what was allowed before.
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429);
  EXPECT_EQ(api.api->budgets().alarms().at({"support", "subjects-per-day"}), 1U) << "one alarm";
  // Another person with another role has nothing to do with it.
  EXPECT_EQ(api.reidentify("dpo", "contact", tokens).status, 200);
  api.clock.move(hours(25));
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[10]}).status, 200);
}

TEST(Budgets, WhatIsRefusedWholeIsOnRecordWhole) {
  Api api(policy_with("budget: { subjects-per-day: 10, cooling-off-minutes: 120 }"));
  auto tokens = mails(api, 0, 11);
  const std::uint32_t key = crypto::parse_token(api.unknown_token("form.mail")).value().key_id;
  while (tokens.size() < 3000) {
    crypto::write_vault_token(key, crypto::vault::random_id(), tokens.emplace_back());
  }
  const std::uint64_t before = api.log().size();
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 429);
  std::set<crypto::audit::Hash> named;
  std::size_t alarms = 0;
  for (const auto& entry : api.entries(before)) {
    EXPECT_EQ(entry.open.event, EventKind::refusal);
    EXPECT_LE(entry.detail->tokens.size(), crypto::audit::kMaxDetailTokens);
    for (const auto& token : entry.detail->tokens) named.insert(token.digest);
    if (entry.detail->object == BudgetLedger::kAlarmObject) ++alarms;
  }
  EXPECT_EQ(named.size(), 3000U);
  EXPECT_EQ(alarms, 1U) << "one alarm, however many entries";
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429) << "cooling off";
}

TEST(Budgets, ARestartGivesNobodyANewOne) {
  Api api(policy_with("budget: { subjects-per-day: 3 }"));
  const auto tokens = mails(api, 0, 5);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0], tokens[1], tokens[2]}).status, 200);
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[3]}).status, 429);
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429) << "still cooling off";
  // Nor does a clock that is set back, nor both.
  api.clock.move(-hours(48));
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429);
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[3]}).status, 429);
}

// What keys confirm puts into each tenant's log.
void say_the_clock_is_right(Api& api) {
  crypto::audit::AuditEntry entry;
  entry.event = EventKind::key_operation;
  entry.detail.object = BudgetLedger::kClockObject;
  ASSERT_TRUE(api.log().append(entry));
  ASSERT_TRUE(api.operators->date_back());
  api.restart();
}

TEST(Budgets, OfAClockThatRanAheadNothingIsLeftOnceSomebodySaysThatItIsRight) {
  Api api(policy_with("budget: { subjects-per-hour: 3, cooling-off-minutes: 60 }"));
  const auto tokens = mails(api, 0, 8);
  constexpr auto kAhead = hours(24 * 4);
  // The log of this month has its key before the clock is wrong.
  EXPECT_EQ(api.reidentify("dpo", "contact", {tokens[0]}).status, 200);
  api.clock.move(kAhead);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0], tokens[1]}).status, 200);
  api.clock.move(-kAhead);
  api.restart();
  // Not by itself: whoever sets the clock says nothing on the record.
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[2], tokens[3]}).status, 429);
  say_the_clock_is_right(api);
  // What was given out meanwhile counts as given out until then.
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[2], tokens[3]}).status, 429);
  api.clock.move(minutes(61));
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[4], tokens[5], tokens[6]}).status, 200);
  const auto over = api.reidentify("support", "contact", {tokens[7]});
  EXPECT_EQ(over.status, 429);
  EXPECT_LE(over.headers.at(0).second.size(), 4U) << "an hour: " << over.headers.at(0).second;
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[7]}).status, 429);
}

TEST(Budgets, AClockThatIsPutBackAndCalledRightGivesNobodyANewOne) {
  Api api(policy_with("budget: { subjects-per-day: 3, cooling-off-minutes: 1 }"));
  const auto tokens = mails(api, 0, 5);
  // The log has its keys of both months, where there are two.
  EXPECT_EQ(api.reidentify("dpo", "contact", {tokens[0]}).status, 200);
  api.clock.move(hours(48));
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0], tokens[1], tokens[2]}).status, 200);
  api.clock.move(-hours(48));
  say_the_clock_is_right(api);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[3]}).status, 429);
  api.clock.move(hours(48));
  api.restart();
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[3]}).status, 429);
}

TEST(Budgets, ValuesPerHourSlide) {
  Api api(policy_with("budget: { values-per-hour: 4, cooling-off-minutes: 1 }"));
  const auto tokens = mails(api, 0, 2);
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 200);
  api.clock.move(minutes(40));
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 200);
  api.clock.move(minutes(5));
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429);
  api.clock.move(minutes(30));  // the first two are more than an hour ago
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 200);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429);
}

TEST(Budgets, OfTheWholeRole) {
  Api api(policy_with("budget-together: { values-per-day: 3 }"));
  const std::string second(
      crypto::as_text(api.operators->add("support-2", "support", api.tenant).value().bytes()));
  api.credentials["support-2"] = second;
  const auto tokens = mails(api, 0, 2);
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 200);
  EXPECT_EQ(api.reidentify("support-2", "contact", tokens).status, 429);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429) << "all of them wait";
  api.restart();
  EXPECT_EQ(api.reidentify("support-2", "contact", {tokens[0]}).status, 429);
}

TEST(Budgets, WhatIsNotSeenDoesNotCount) {
  Api api(policy_with("budget: { values-per-day: 2 }"));
  const auto tokens = mails(api, 0, 2);
  const std::string unknown = api.unknown_token("form.mail");
  const std::string city = api.token_of("form.city", "Lyon");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(api.reidentify("support", "contact", {unknown, city, "no token"}).status, 200);
  }
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0], unknown, tokens[1]}).status, 200);
  EXPECT_EQ(api.reidentify("support", "contact", {unknown}).status, 200);
  EXPECT_EQ(api.reidentify("support", "contact", {tokens[0]}).status, 429);
}

TEST(Budgets, WithoutALogNothingIsCountedAndNothingGiven) {
  Api api(policy_with("budget: { values-per-day: 2 }"));
  const auto tokens = mails(api, 0, 1);
  std::filesystem::remove_all(api.folder.path() / "audit");
  EXPECT_EQ(api.reidentify("support", "contact", tokens).status, 503);
}

// The ledger itself, between the charge of a request and its entries.
class Ledger : public ::testing::Test {
 protected:
  static SubjectKey person(std::uint8_t number) {
    SubjectKey key{};
    key[0] = number;
    return key;
  }
  Charge charge(std::vector<std::uint8_t> numbers) {
    std::vector<SubjectKey> people;
    for (const std::uint8_t number : numbers) people.push_back(person(number));
    auto charged =
        ledger_.charge(api_.log(), account_, Counted::reveal, limits_, people, api_.clock.now());
    return std::move(charged).value();
  }
  void put_on_record(std::uint8_t number) {
    crypto::audit::AuditEntry entry;
    entry.event = EventKind::reveal;
    entry.detail.operator_name = account_.operator_name;
    entry.detail.role = account_.role;
    entry.detail.tokens.push_back({0, person(number)});
    ASSERT_TRUE(api_.log().append(entry).has_value());
  }

  Api api_;
  BudgetLedger ledger_;
  Account account_{api_.tenant, "support", "support"};
  Limits limits_;
};

// Of two questions at the same time neither is answered by what both saw before.
TEST_F(Ledger, AsksAndCountsInOneStep) {
  limits_.alone = 2;
  EXPECT_FALSE(charge({1, 2}).overrun);
  EXPECT_FALSE(charge({2, 1}).overrun) << "the same people";
  const Charge third = charge({3});
  ASSERT_TRUE(third.overrun);
  EXPECT_TRUE(third.overrun->alone);
  EXPECT_FALSE(third.overrun->alarm) << "no budget, so nobody cools off";
  EXPECT_FALSE(charge({2}).overrun) << "nor was the third counted";
  account_.operator_name = "another";
  EXPECT_FALSE(charge({3}).overrun);
}

TEST_F(Ledger, AReloadForgetsNothingThatIsUnderWayToTheLog) {
  limits_.own.subjects_per_day = 2;
  Charge first = charge({1});
  ledger_.read_again();
  Charge second = charge({2});
  put_on_record(1);
  first.under_way.end();
  ASSERT_TRUE(charge({3}).overrun);
  // Nor that whoever went too far cools off, though no entry says so yet.
  ledger_.read_again();
  const Charge again = charge({1});
  ASSERT_TRUE(again.overrun);
  EXPECT_EQ(again.overrun->limit, "cooling-off");
}

TEST_F(Ledger, WhatIsInTheLogCountsOnce) {
  limits_.own.values_per_day = 2;
  {
    const Charge first = charge({1});
    EXPECT_FALSE(first.overrun);
    put_on_record(1);
  }
  ledger_.read_again();
  const Charge second = charge({2});
  EXPECT_FALSE(second.overrun);
  ledger_.read_again();
  EXPECT_TRUE(charge({3}).overrun);
}

TEST(Time, ThatIsSetBackRevivesNoValue) {
  Api api;
  const std::string mail = api.token_of("form.mail", "jane@example.org");
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", {mail})).at(0).status, "revealed");
  api.clock.move(hours(24 * 366 * 3));  // the three years of its purpose
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", {mail})).at(0).status, "unavailable");
  api.clock.move(-hours(24 * 366 * 3));
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", {mail})).at(0).status, "unavailable");
}

TEST(Levels, OfKinds) {
  Api api(policy_with("kinds: { email: clear, phone: refused, text: replaced }"));
  const auto results = Api::results(api.reidentify(
      "support", "contact",
      {api.token_of("form.mail", "jane@example.org"), api.token_of("form.phone", "+33612345678"),
       api.token_of("form.message", "Hello")}));
  EXPECT_EQ(results.at(0).status + " " + results.at(0).value, "revealed jane@example.org");
  EXPECT_EQ(results.at(1).status + " " + results.at(1).value, "refused -");
  EXPECT_EQ(results.at(2).status + " " + results.at(2).value, "replaced [withheld]");
}

}  // namespace
}  // namespace paravent::proxy::admin
