// The keys of data subjects end on time: counted from the last contact or from an event, put off by
// whoever comes back and by holds, destroyed after 72 hours of running time.

#include "crypto/vault/engine/upkeep/subject_keeper.h"

#include <thread>

#include "tests/crypto/vault/engine/upkeep/subject_keeper_support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::hours;

constexpr hours kYear{24 * 365};

TEST_F(SubjectKeeperTest, FromTheLastContactThenDisabledThenGone) {
  const Answer anne = ask("anne@example.fr");
  pass(hours(24 * 30));
  const Answer again = ask("anne@example.fr");
  EXPECT_TRUE(due_within(hours(24 * 200)).empty());
  ASSERT_EQ(due_within(kYear).size(), 1U);
  EXPECT_EQ(due_within(kYear)[0].purpose, "contact");
  EXPECT_TRUE(due_within(kYear)[0].identified);
  pass(kYear - hours(24 * 6));
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  EXPECT_TRUE(notes_.lines.empty());
  pass(hours(24 * 3));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
  EXPECT_EQ(open(again.tokens[0]), "(unavailable)");
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact"}));
  EXPECT_TRUE(admin().info(find("anne@example.fr"))->purposes[0].disabled);
  pass(hours(24 * 4));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact", "destroy contact"}));
  EXPECT_FALSE(admin().find(*place_.vault->tenant_id("atelier"), Kind::email, "anne@example.fr"));
  const Answer new_one = ask("anne@example.fr");
  EXPECT_NE(new_one.tokens[0], anne.tokens[0]);
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
}

TEST_F(SubjectKeeperTest, WhoComesBackInTimeKeepsEverything) {
  const Answer anne = ask("anne@example.fr");
  pass(kYear - hours(24 * 3));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
  const Answer back = ask("anne@example.fr");
  EXPECT_EQ(back.tokens, anne.tokens);
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  pass(hours(24 * 10));
  EXPECT_EQ(open(anne.tokens[1]), "Anne");
}

TEST_F(SubjectKeeperTest, FromAnEventAndNotBefore) {
  const Answer anne = ask("anne@example.fr", "billing");
  pass(3 * kYear);
  EXPECT_EQ(open(anne.encrypted, "billing"), "about Anne") << "no contract has ended";
  const Id id = find("anne@example.fr");
  ASSERT_TRUE(admin().note_event(id, "billing", place_.clock.now()));
  pass(kYear);
  EXPECT_EQ(open(anne.encrypted, "billing"), "about Anne") << "archived, and there";
  EXPECT_EQ(due_within(kYear).size(), 1U);
  pass(kYear - hours(24 * 2));
  EXPECT_EQ(open(anne.encrypted, "billing"), "(unavailable)");
  // Taken back in time: the contract goes on.
  ASSERT_TRUE(admin().note_event(id, "billing", std::nullopt));
  pass(hours(24));
  EXPECT_EQ(open(anne.encrypted, "billing"), "about Anne");
  EXPECT_EQ(notes_.lines.back(), "enable billing");
}

TEST_F(SubjectKeeperTest, OnePurposeEndsAndTheOtherStays) {
  const Answer asked = ask("anne@example.fr");
  const Answer bought = ask("anne@example.fr", "billing");
  EXPECT_EQ(asked.tokens, bought.tokens);
  pass(kYear + hours(24 * 5));
  EXPECT_EQ(open(asked.tokens[1], "contact"), "(unavailable)");
  EXPECT_EQ(open(asked.encrypted, "contact"), "(unavailable)");
  EXPECT_EQ(open(asked.tokens[1], "billing"), "Anne");
  // The key for the first purpose is made anew when it is needed again.
  const Answer again = ask("anne@example.fr");
  EXPECT_EQ(again.tokens, asked.tokens);
  EXPECT_EQ(open(asked.tokens[1], "contact"), "Anne");
  EXPECT_EQ(open(asked.encrypted, "contact"), "(unavailable)");
}

// A row whose key went before it would stay for ever, and nobody would know whose it was.
TEST_F(SubjectKeeperTest, ARemovalOfRowsThatFailsIsTriedAgainAndLeavesNoneBehind) {
  const Answer anne = ask("anne@example.fr");
  store_->full = true;
  pass(kYear + hours(24 * 5));
  EXPECT_EQ(open(anne.tokens[1]), "(unavailable)");
  EXPECT_EQ(report().rows, 2U);
  EXPECT_EQ(report().without_person, 0U);
  const auto known = [this] {
    const Id tenant = *place_.vault->tenant_id("atelier");
    return admin().find(tenant, Kind::email, "anne@example.fr").has_value();
  };
  ASSERT_TRUE(known()) << "the key went before the rows";
  EXPECT_TRUE(admin().info(find("anne@example.fr"))->purposes[0].disabled);
  store_->full = false;
  pass(hours(12));
  EXPECT_EQ(report().rows, 0U);
  EXPECT_FALSE(known());
  EXPECT_EQ(notes_.lines.back(), "destroy contact");
}

TEST_F(SubjectKeeperTest, ARowThatOnlyAKeyOfBeforeOpenedGoesWithItsOtherPurpose) {
  const Answer asked = ask("anne@example.fr");
  ask("anne@example.fr", "billing");
  ASSERT_TRUE(admin().note_event(find("anne@example.fr"), "billing", place_.clock.now()));
  pass(kYear + hours(24 * 5));
  EXPECT_EQ(open(asked.tokens[1], "billing"), "Anne");
  // Under a new name, with a new key for the purpose that had ended.
  for (int i = 0; i < 2; ++i) {
    ask("anne@example.fr", "contact", "Anna");
    pass(kYear / 2);
  }
  const Answer again = ask("anne@example.fr", "contact", "Anna");
  EXPECT_EQ(open(asked.tokens[1], "billing"), "(unavailable)");
  EXPECT_EQ(open(again.tokens[0]), "anne@example.fr");
  EXPECT_EQ(open(again.tokens[1]), "Anna");
  EXPECT_EQ(report().rows, 2U) << "the row of the old name is gone";
}

// Its contact copy lies under a person's key that ended, its other one under an epoch that was
// destroyed: no newer keys would open it.
TEST_F(SubjectKeeperTest, ARowThatADestroyedKeyClosesLacksNoPersonsKey) {
  ask("anne@example.fr");
  ask("anne@example.fr", "billing");
  pass(kYear + hours(24 * 5));
  KeyAdmin keys(*place_.vault);
  std::vector<Id> billing;
  for (const KeyInfo& key : keys.list()) {
    const bool epoch = key.record.key_class == KeyClass::epoch && key.purpose == "billing";
    if (epoch) billing.push_back(key.record.id);
  }
  ASSERT_TRUE(keys.destroy(billing));
  const IndexReport found = report();
  EXPECT_EQ(found.rows, 2U);
  EXPECT_EQ(found.unreadable, 2U);
  EXPECT_EQ(found.lacking, 0U);
  EXPECT_EQ(found.without_person, 0U);
}

TEST_F(SubjectKeeperTest, AHoldPutsItOffAndForbidsErasure) {
  const Answer anne = ask("anne@example.fr");
  const Id id = find("anne@example.fr");
  const auto reference = admin().info(id)->reference;
  const auto hold =
      KeyAdmin(*place_.vault)
          .hold("atelier", "contact", reference, "a lawsuit", place_.clock.now() + 2 * kYear);
  ASSERT_TRUE(hold) << hold.error().sentence();
  pass(kYear + hours(24 * 10));
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  EXPECT_TRUE(due_within(hours(1))[0].held_until);
  const auto refused = admin().erase(std::span(&id, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::busy);
  ASSERT_TRUE(KeyAdmin(*place_.vault).release(*hold));
  pass(hours(24 * 4));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
}

// The 72 hours are hours in which the gateway ran: while it stood still nobody could notice.
TEST_F(SubjectKeeperTest, OnlyRunningTimeCountsForPeopleToo) {
  const Answer anne = ask("anne@example.fr");
  pass(kYear - hours(24 * 3));
  ASSERT_EQ(notes_.lines, (std::vector<std::string>{"disable contact"}));
  pass(hours(24));
  // Out of order for ten days; the limit passes.
  place_.clock.advance(hours(24 * 10));
  keys_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, no_notes_);
  pass(hours(24));
  EXPECT_EQ(notes_.lines.size(), 1U) << "destroyed by the wall clock";
  pass(hours(24 * 3));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact", "destroy contact"}));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
}

TEST_F(SubjectKeeperTest, WhomAWrongClockDisabledIsBackOnceItIsConfirmed) {
  const Answer anne = ask("anne@example.fr");
  const WallTime right = place_.clock.now();
  const auto start_at = [&](WallTime time) {
    place_.clock.set(time);
    keys_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, no_notes_);
    ASSERT_TRUE(keys_->tick());
    ASSERT_TRUE(keeper_->tick());
  };
  start_at(right + 5 * kYear);
  EXPECT_EQ(open(anne.encrypted), "(unavailable)");
  start_at(right + hours(1));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)") << "which clock is right nobody has said yet";
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  ASSERT_TRUE(keeper_->tick());
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact", "enable contact"}));
}

TEST_F(SubjectKeeperTest, AHoldThatIsOverHoldsNothing) {
  const Answer anne = ask("anne@example.fr");
  const Id id = find("anne@example.fr");
  const WallTime end = place_.clock.now() + kYear + hours(24 * 10);
  ASSERT_TRUE(KeyAdmin(*place_.vault)
                  .hold("atelier", "contact", admin().info(id)->reference, "a lawsuit", end));
  pass(kYear + hours(24 * 9));
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  EXPECT_FALSE(admin().erase(std::span(&id, 1)));
  pass(hours(24 * 2));
  EXPECT_EQ(open(anne.encrypted), "(unavailable)") << "nobody released it, and it is over";
  EXPECT_TRUE(admin().erase(std::span(&id, 1)));
}

TEST_F(SubjectKeeperTest, NothingHappensThatIsNotOnRecord) {
  const Answer anne = ask("anne@example.fr");
  notes_.refuses = true;
  pass(kYear - hours(24 * 3));
  EXPECT_EQ(open(anne.encrypted), "about Anne");
}

// Between the look and the end of the key there are an entry on the record and whoever waits for
// it.
TEST_F(SubjectKeeperTest, AHoldInTheLastMomentCounts) {
  const Answer anne = ask("anne@example.fr");
  const auto reference = admin().info(find("anne@example.fr"))->reference;
  pass(kYear - hours(24 * 3));
  std::optional<Id> hold;
  notes_.at_record = [&](KeyOperation operation) {
    if (operation != KeyOperation::destroy || hold) return;
    hold = KeyAdmin(*place_.vault)
               .hold("atelier", "contact", reference, "a lawsuit", place_.clock.now() + kYear)
               .value();
  };
  pass(hours(24 * 5));
  ASSERT_TRUE(hold);
  EXPECT_TRUE(admin().find(*place_.vault->tenant_id("atelier"), Kind::email, "anne@example.fr"));
  EXPECT_EQ(open(anne.encrypted), "about Anne") << "a hold enables the key again";
}

// A backup holds its view of the store for as long as it takes.
TEST_F(SubjectKeeperTest, NobodyWaitsForABackupWhilePeopleEnd) {
  ask("anne@example.fr");
  pass(kYear - hours(24 * 3));
  // It begins when the look is over, so what waits for it is what comes behind the destruction.
  notes_.at_record = [&](KeyOperation operation) {
    store_->backup = operation == KeyOperation::destroy;
  };
  place_.clock.advance(hours(24 * 4));
  monotonic_.time += hours(24 * 4);
  ASSERT_TRUE(keys_->tick());
  std::thread keeping([&] { EXPECT_TRUE(keeper_->tick()); });
  while (!store_->waits) std::this_thread::yield();
  const Answer other = ask("paul@example.fr");
  EXPECT_EQ(open(other.encrypted), "about Anne");
  EXPECT_TRUE(admin().note_contact(find("paul@example.fr"), "contact", place_.clock.now()));
  store_->backup = false;
  store_->backup.notify_all();
  keeping.join();
}

// An erasure waits for a backup with the rest of what it does, not with that.
TEST_F(SubjectKeeperTest, NothingOpensAnyMoreWhileAnErasureWalksTheStore) {
  const Answer anne = ask("anne@example.fr");
  const Id id = find("anne@example.fr");
  std::string seen;
  store_->at_forget = [&] { seen = open(anne.encrypted); };
  ASSERT_TRUE(admin().erase(std::span(&id, 1)));
  EXPECT_EQ(seen, "(unavailable)");
}

// The keys go in a file of their own; the store may be full when their rows should.
TEST_F(SubjectKeeperTest, AnErasureThatCouldNotRemoveRowsIsGoneOnWith) {
  const Answer anne = ask("anne@example.fr");
  ask("paul@example.fr");
  const Id id = find("anne@example.fr");
  store_->full = true;
  const auto erased = admin().erase(std::span(&id, 1));
  ASSERT_TRUE(erased);
  EXPECT_TRUE(erased->is_final);
  EXPECT_TRUE(erased->rows_left);
  for (const std::string& text : {anne.tokens[0], anne.tokens[1], anne.encrypted}) {
    EXPECT_EQ(open(text), "(unavailable)");
  }
  EXPECT_FALSE(admin().info(id)) << "there is nobody to be erased once more";
  EXPECT_EQ(report().rows, 4U);
  EXPECT_TRUE(KeyAdmin(*place_.vault).erasure_is_due());
  EXPECT_FALSE(KeyAdmin(*place_.vault).finish_erasure());
  // A full token store keeps no key from its end.
  const auto keys = KeyAdmin(*place_.vault).list();
  const auto epoch = std::find_if(keys.begin(), keys.end(), [](const KeyInfo& key) {
    return key.record.key_class == KeyClass::epoch;
  });
  ASSERT_NE(epoch, keys.end());
  EXPECT_TRUE(KeyAdmin(*place_.vault).destroy(std::span(&epoch->record.id, 1)));
  EXPECT_TRUE(KeyAdmin(*place_.vault).erasure_is_due());
  store_->full = false;
  EXPECT_TRUE(keeper_->tick());
  EXPECT_EQ(report().rows, 2U);
  EXPECT_FALSE(KeyAdmin(*place_.vault).erasure_is_due());
}

TEST_F(SubjectKeeperTest, ManyPeopleEndInPieces) {
  constexpr std::size_t kPeople = SubjectKeeper::kPiece * 2 + 1;
  for (std::size_t i = 0; i < kPeople; ++i) ask(std::to_string(i) + "@example.fr");
  pass(kYear + hours(24 * 5));
  EXPECT_EQ(notes_.largest, SubjectKeeper::kPiece);
  EXPECT_EQ(std::count(notes_.lines.begin(), notes_.lines.end(), "destroy contact"), kPeople);
  EXPECT_EQ(report().rows, 0U);
}

// What cannot be recorded for one tenant keeps nobody else's people.
TEST_F(SubjectKeeperTest, OneTenantsTroubleIsNotAnothers) {
  PolicyNames other = atelier();
  other.tenant = "zinc";
  const std::vector<PolicyNames> both{atelier(), other};
  ASSERT_TRUE(place_.vault->register_names(both));
  const std::array stated{
      PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::contact, {12, 0}, {}}},
      PurposeRetention{"zinc", "contact", RetentionRule{CountsFrom::contact, {12, 0}, {}}}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(stated));
  const auto ask_of = [&](const std::string& tenant) {
    return vault::ask(*place_.vault, bound_route(*place_.vault, "contact", tenant),
                      "anne@example.fr", "Anne");
  };
  ask_of("atelier");
  ask_of("zinc");
  notes_.refused_tenant = *place_.vault->tenant_id("atelier");
  pass(kYear - hours(24 * 3));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact"}));
  pass(hours(24 * 4));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact", "destroy contact"}));
  EXPECT_FALSE(keeper_->tick()) << "and it is told";
  notes_.refused_tenant = {};
  pass(hours(24 * 4));
  EXPECT_EQ(notes_.lines.size(), 4U);
}

TEST_F(SubjectKeeperTest, NobodyCountsFromTheirOnlyRequest) {
  const Answer nobody = ask("", "billing");
  pass(2 * kYear + hours(24 * 5));
  EXPECT_EQ(open(nobody.encrypted, "billing"), "(unavailable)");
}

// Of people whose contract has no end on record nothing was due; a word in the policy makes all of
// them due who have not been heard of since. Until somebody has looked, it is the old word that
// holds.
TEST_F(SubjectKeeperTest, CountingFromNoEventAnyMoreWaitsForAnOperator) {
  const Answer anne = ask("anne@example.fr", "billing");
  pass(3 * kYear);
  ASSERT_TRUE(notes_.lines.empty());
  for (const CountsFrom from : {CountsFrom::contact, CountsFrom::collection}) {
    const std::array other{
        PurposeRetention{"atelier", "billing", RetentionRule{from, {12, 0}, {12, 0}}}};
    ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(other));
    const FreezeInfo freeze = KeyAdmin(*place_.vault).freeze_info();
    EXPECT_TRUE(freeze.keeper.frozen_by(Freeze::retention));
    ASSERT_EQ(freeze.pending.size(), 1U);
    EXPECT_EQ(freeze.pending[0].record.rule.from, CountsFrom::event);
    EXPECT_TRUE(
        SubjectKeeper::due_before(*place_.vault, place_.clock.now() + hours(24 * 365)).empty());
  }
  pass(hours(24 * 10));
  EXPECT_TRUE(notes_.lines.empty());
  EXPECT_EQ(open(anne.encrypted, "billing"), "about Anne");
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  pass(hours(24));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable billing"}));
}

// Left out of the policy, a retention ends nobody; stated again, it has to be meant.
TEST_F(SubjectKeeperTest, ARetentionThatIsLeftOutEndsNobody) {
  const Answer anne = ask("anne@example.fr");
  const std::array left_out{PurposeRetention{"atelier", "contact", std::nullopt}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(left_out));
  EXPECT_FALSE(KeyAdmin(*place_.vault).freeze_info().keeper.frozen());
  pass(2 * kYear);
  EXPECT_TRUE(notes_.lines.empty());
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  const std::array again{
      PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::contact, {12, 0}, {}}}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(again));
  EXPECT_TRUE(KeyAdmin(*place_.vault).freeze_info().keeper.frozen());
}

// A load that is undone puts back what was served; not what waits for an operator.
TEST_F(SubjectKeeperTest, AnUndoneLoadConfirmsNothing) {
  ask("anne@example.fr", "billing");
  KeyAdmin keys(*place_.vault);
  const std::array served{
      PurposeRetention{"atelier", "billing", RetentionRule{CountsFrom::contact, {12, 0}, {12, 0}}}};
  ASSERT_TRUE(keys.set_retentions(served));
  ASSERT_EQ(keys.freeze_info().pending.size(), 1U);
  const std::array undone{
      PurposeRetention{"atelier", "billing", RetentionRule{CountsFrom::contact, {6, 0}, {}}}};
  ASSERT_TRUE(keys.set_retentions(undone));
  ASSERT_TRUE(keys.count_from(served));
  ASSERT_EQ(keys.freeze_info().pending.size(), 1U);
  EXPECT_EQ(keys.freeze_info().pending[0].record.rule.from, CountsFrom::event);
}

// The other way round ends nothing earlier, so it holds at once.
TEST_F(SubjectKeeperTest, CountingFromAnEventHoldsAtOnce) {
  const Answer anne = ask("anne@example.fr");
  pass(kYear - hours(24 * 10));
  const std::array later{
      PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::event, {12, 0}, {}}}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(later));
  EXPECT_FALSE(KeyAdmin(*place_.vault).freeze_info().keeper.frozen());
  pass(kYear);
  EXPECT_TRUE(notes_.lines.empty());
  EXPECT_EQ(open(anne.encrypted), "about Anne");
}

TEST_F(SubjectKeeperTest, NothingEndsWhileDestructionIsFrozen) {
  const Answer anne = ask("anne@example.fr");
  const std::array shorter{
      PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::contact, {6, 0}, {}}}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(shorter));
  ASSERT_TRUE(KeyAdmin(*place_.vault).freeze_info().keeper.frozen());
  pass(2 * kYear);
  EXPECT_TRUE(notes_.lines.empty());
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  // Somebody has looked: what was due ends, and not before its 72 hours.
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  pass(hours(24));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact"}));
  // Frozen in between, what is disabled waits too.
  const std::array shortest{
      PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::contact, {3, 0}, {}}}};
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(shortest));
  pass(hours(24 * 10));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact"}));
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  pass(hours(24));
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"disable contact", "destroy contact"}));
}

}  // namespace
}  // namespace paravent::crypto::vault
