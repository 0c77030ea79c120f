// What a restore with older keys would undo of what people have settled, and the list in a data
// backup that it is told from.

#include "proxy/main/installation/undone_facts.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "proxy/main/installation/key_facts_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::CalendarPeriod;
using crypto::WallTime;
using crypto::vault::CountsFrom;
using crypto::vault::Freeze;
using crypto::vault::HoldInfo;
using crypto::vault::Id;
using crypto::vault::KeyFacts;
using crypto::vault::kNoId;
using crypto::vault::kObjected;
using crypto::vault::kRestricted;
using crypto::vault::RetentionFact;

using Clauses = std::vector<std::string>;

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28}};
constexpr std::uint8_t kClock = static_cast<std::uint8_t>(Freeze::clock);

HoldInfo hold(std::uint8_t n, int days, const std::string& purpose = "contact") {
  HoldInfo out;
  out.record.id = Id{n};
  out.record.tenant = Id{100};
  if (!purpose.empty()) out.record.purpose = Id{101};
  out.record.until = kNow + std::chrono::days(days);
  out.tenant = "atelier";
  out.purpose = purpose;
  return out;
}

RetentionFact years(std::uint32_t active, std::uint32_t archive = 0) {
  return {"atelier",
          "contact",
          {{CountsFrom::collection, {active * 12, 0}, {archive * 12, 0}}, std::nullopt}};
}

KeyFacts everything() {
  KeyFacts facts;
  facts.freezes = 3;
  facts.holds.emplace(Id{1}, hold(1, 64));
  facts.holds.emplace(Id{2}, hold(2, 64, ""));
  facts.holds.at(Id{2}).record.subject.emplace().fill(0xab);
  facts.retentions.emplace(kNoId,
                           RetentionFact{"", "audit", {{CountsFrom::collection, {12, 0}, {}}, {}}});
  facts.retentions.emplace(Id{101}, years(3, 5));
  facts.retentions.at(Id{101}).record.pending = years(1).record.rule;
  facts.marks = {{Id{5}, kRestricted}, {Id{6}, kRestricted | kObjected}};
  facts.events = {{Id{7}, 20'000}};
  facts.newest_key = Id{7};
  return facts;
}

TEST(KeyFactsFile, IsReadAsItIsWritten) {
  const KeyFacts facts = everything();
  const std::string text = key_facts_text(facts);
  const auto read = parse_key_facts(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(key_facts_text(*read), text);
  EXPECT_EQ(read->freezes, 3);
  ASSERT_EQ(read->holds.size(), 2U);
  EXPECT_EQ(read->holds.at(Id{1}).purpose, "contact");
  EXPECT_EQ(read->holds.at(Id{1}).record.until, facts.holds.at(Id{1}).record.until);
  EXPECT_EQ(read->holds.at(Id{2}).record.subject, facts.holds.at(Id{2}).record.subject);
  EXPECT_EQ(read->retentions, facts.retentions);
  EXPECT_EQ(read->marks, facts.marks);
  EXPECT_EQ(read->events, facts.events);
  EXPECT_EQ(read->newest_key, facts.newest_key);
  EXPECT_TRUE(undone_facts(facts, *read, kNow).clauses.empty());
  EXPECT_TRUE(parse_key_facts(key_facts_text({})));
}

TEST(KeyFactsFile, OneSpellingOnly) {
  const std::string good = key_facts_text(everything());
  for (std::size_t size = 0; size < good.size(); ++size) {
    // A cut between two lines is a shorter list; the backup's manifest has the hash of the whole.
    if (size > 0 && good[size - 1] == '\n' && size > good.find('\n') + 1) continue;
    EXPECT_FALSE(parse_key_facts(std::string_view(good).substr(0, size))) << size;
  }
  const std::string head = key_facts_text({});
  const std::string id = crypto::vault::id_hex(Id{5});
  for (const std::string& bad :
       {good + good, good + "\n", head + "mark " + id + " 4\n", head + "mark " + id + " 0\n",
        head + "mark " + id + " 01\n", head + "mark  " + id + " 1\n", head + "event " + id + " 0\n",
        head + "mark " + id + " 1\nmark " + id + " 1\n", head + "wish " + id + " 1\n",
        head + "newest-key " + id.substr(1) + "\n", head + "newest-key\n",
        std::string("paravent-key-facts-v1\nfreezes 4\n"),
        std::string("paravent-key-facts-v2\n")}) {
    EXPECT_FALSE(parse_key_facts(bad)) << bad;
  }
}

TEST(UndoneFacts, AHoldThatWasSetSinceIsLostAndOneThatWasReleasedIsBack) {
  KeyFacts then;
  KeyFacts now;
  then.holds.emplace(Id{1}, hold(1, 3));
  then.holds.emplace(Id{2}, hold(2, 0));  // over at this very moment
  then.holds.emplace(Id{3}, hold(3, 9));
  now.holds.emplace(Id{3}, hold(3, 9));  // as it was
  now.holds.emplace(Id{4}, hold(4, 9, ""));
  now.holds.at(Id{4}).record.subject.emplace().fill(0xab);
  std::string reference;
  for (int i = 0; i < 32; ++i) reference += "ab";
  EXPECT_EQ(
      undone_facts(then, now, kNow).clauses,
      (Clauses{"the hold " + crypto::vault::id_hex(Id{1}) +
                   " on contact of atelier until 2026-12-01 is lost",
               "the hold " + crypto::vault::id_hex(Id{4}) + " on one person (" + reference +
                   ") in all purposes of atelier until 2026-12-07, released since, is back"}));
}

TEST(UndoneFacts, ARetentionIsWhatItWasAgain) {
  KeyFacts then;
  KeyFacts now;
  then.retentions.emplace(Id{101}, years(1));
  now.retentions.emplace(Id{101}, years(3, 5));
  now.retentions.at(Id{101}).record.pending = years(1).record.rule;
  then.retentions.emplace(kNoId,
                          RetentionFact{"", "audit", {{CountsFrom::collection, {6, 0}, {}}, {}}});
  now.retentions.emplace(kNoId,
                         RetentionFact{"", "audit", {{CountsFrom::collection, {12, 0}, {}}, {}}});
  then.retentions.emplace(
      Id{102}, RetentionFact{"atelier", "survey", {{CountsFrom::event, {0, 30}, {}}, {}}});
  // Another name for the same purpose is no other retention.
  then.retentions.emplace(
      Id{103}, RetentionFact{"atelier", "new", {{CountsFrom::collection, {1, 0}, {}}, {}}});
  now.retentions.emplace(
      Id{103}, RetentionFact{"atelier", "old", {{CountsFrom::collection, {1, 0}, {}}, {}}});
  EXPECT_EQ(undone_facts(then, now, kNow).clauses,
            (Clauses{"the retention of the audit logs' details, P6M, is P1Y again",
                     "the retention of contact of atelier, P1Y, is P3Y and P5Y archived "
                     "(P1Y not confirmed) again",
                     "the retention of survey of atelier, from an event P30D, is not known"}));
}

TEST(UndoneFacts, AFreezeIsLostOrBack) {
  KeyFacts frozen;
  frozen.freezes = kClock;
  EXPECT_EQ(undone_facts(frozen, {}, kNow).clauses,
            Clauses{"the freeze of destruction (clock) is lost"});
  EXPECT_EQ(undone_facts({}, frozen, kNow).clauses,
            Clauses{"the freeze of destruction (clock), confirmed since, is back"});
  EXPECT_EQ(freeze_words(0), "");
  EXPECT_EQ(freeze_words(3), "clock and retention");
}

TEST(UndoneFacts, RestrictionsObjectionsAndEventsOfPeople) {
  KeyFacts then;
  KeyFacts now;
  then.marks = {{Id{1}, kRestricted}, {Id{2}, kRestricted | kObjected}, {Id{3}, kObjected}};
  now.marks = {{Id{3}, kRestricted | kObjected}};
  then.events = {{Id{7}, 20'000}, {Id{8}, 20'001}, {Id{9}, 20'002}};
  now.events = {{Id{7}, 20'000}, {Id{8}, 19'999}, {Id{10}, 20'000}};
  const UndoneFacts undone = undone_facts(then, now, kNow);
  EXPECT_EQ(undone.clauses,
            (Clauses{"the restriction of 2 people is lost",
                     "the restriction of 1 person, lifted since, is back",
                     "the objection of 1 person is lost",
                     "2 of people's events that were noted since are lost",
                     "1 of people's events that were taken back or ended since are back"}));
  EXPECT_EQ(undone.people, (std::set<Id>{Id{1}, Id{2}}));
}

}  // namespace
}  // namespace paravent::proxy::main
