// Keys that end on time: disabled first, destroyed after 72 hours of running time, never later than
// the earliest record allows, and never because somebody mistyped a clock or a policy.

#include "crypto/vault/engine/upkeep/retention_keeper.h"

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::hours;

class Notes final : public KeeperJournal {
 public:
  Status record(KeyOperation operation, std::span<const KeyInfo> keys) override {
    if (refuses) return Error(ErrorKind::disk_full, "The audit log has no space.");
    for (const KeyInfo& key : keys) {
      lines.push_back(std::string(key_operation_name(operation)) + " " + key.purpose + " " +
                      epoch_text(key.record.epoch));
    }
    return {};
  }
  Status record_freeze(Freeze) override {
    lines.push_back("freeze");
    return {};
  }
  std::vector<std::string> lines;
  bool refuses = false;
};

WallTime day(int year, unsigned month, unsigned of_month) {
  return WallTime(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                        static_cast<int>(of_month)));
}

class RetentionKeeperTest : public testing::Test {
 protected:
  RetentionKeeperTest() {
    place_.clock.set(day(2026, 3, 15) + hours(10));
    const std::vector<PolicyNames> policies{atelier()};
    EXPECT_TRUE(place_.vault->admit_names(policies));
    EXPECT_TRUE(state({3, 0}));
    token_ = mint(*place_.vault, bind(), "anne@example.fr");
    start_keeper();
  }
  // What a policy says of the purpose contact.
  Status state(CalendarPeriod active) {
    const std::array stated{
        PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::collection, active, {}}},
        PurposeRetention{"atelier", "billing", std::nullopt}};
    return KeyAdmin(*place_.vault).set_retentions(stated);
  }
  Binding bind() {
    const ContextSpec spec = email_tokens();
    return std::move(place_.vault->bind("atelier", std::span(&spec, 1)).value().front());
  }
  void start_keeper() {
    keeper_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, notes_);
  }
  void restart() {
    keeper_.reset();
    ASSERT_TRUE(place_.open());
    monotonic_.time = MonotonicTime{};  // another process, perhaps after a reboot
    start_keeper();
  }
  void tick() {
    const auto done = keeper_->tick();
    EXPECT_TRUE(done) << (done ? "" : done.error().sentence());
  }
  // Time as it passes, with a tick every hour.
  void pass(hours time) {
    for (hours done{0}; done < time; done += hours(1)) {
      place_.clock.advance(hours(1));
      monotonic_.time += hours(1);
      tick();
    }
  }
  // To a wall time, as it passes.
  void pass_to(WallTime time) { pass(std::chrono::ceil<hours>(time - place_.clock.now())); }
  // A gateway that stood still meanwhile.
  void stand_still_to(WallTime time) {
    keeper_.reset();
    place_.clock.set(time);
    restart();
  }
  KeyState march() {
    for (const KeyInfo& key : KeyAdmin(*place_.vault).list()) {
      if (key.purpose == "contact" && epoch_text(key.record.epoch) == "2026-03") {
        return key.record.condition.state;
      }
    }
    ADD_FAILURE();
    return KeyState::pre_activation;
  }
  std::string open() { return open_text(*place_.vault, token_); }
  bool frozen() { return KeyAdmin(*place_.vault).freeze_info().keeper.frozen(); }

  DiskVault place_;
  FakeMonotonic monotonic_;
  Notes notes_;
  std::unique_ptr<RetentionKeeper> keeper_;
  std::string token_;
};

TEST(Retention, TheLimitIsThatOfTheEarliestRecord) {
  KeyRecord key{.key_class = KeyClass::epoch};
  const RetentionRule rule{CountsFrom::collection, {36, 0}, {60, 0}};
  EXPECT_FALSE(due_times(key, &rule)) << "epoch none ends with purpose, domain or tenant";
  key.epoch = epoch_at(EpochLength::month, day(2026, 3, 31));
  EXPECT_FALSE(due_times(key, nullptr)) << "no retention, no end";
  const auto due = due_times(key, &rule);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->limit, day(2034, 3, 1));
  EXPECT_EQ(due->disable, day(2034, 2, 25));
  // Too short for the epoch and the guard: while the epoch runs its key is in use.
  const RetentionRule month{CountsFrom::collection, {1, 0}, {}};
  EXPECT_EQ(due_times(key, &month)->disable, day(2026, 4, 1));
  // The details of a log end with its own retention.
  key.key_class = KeyClass::audit_detail;
  EXPECT_EQ(due_times(key, nullptr)->limit, day(2027, 4, 1));
}

TEST(Retention, ShorterIsWhatEndsEarlierInAnyMonth) {
  const auto rule = [](std::uint32_t months, std::uint32_t days, std::uint32_t archive = 0) {
    return RetentionRule{CountsFrom::collection, {months, days}, {archive, 0}};
  };
  EXPECT_TRUE(shortens(rule(36, 0), rule(35, 0)));
  EXPECT_TRUE(shortens(rule(1, 0), rule(0, 30)));
  EXPECT_FALSE(shortens(rule(1, 0), rule(0, 31)));
  EXPECT_FALSE(shortens(rule(36, 0), rule(36, 0, 60)));
  EXPECT_TRUE(shortens(rule(36, 0, 60), rule(36, 0)));
  EXPECT_FALSE(shortens(rule(36, 0), rule(12, 0, 24))) << "sooner archived is not sooner gone";
}

TEST(Retention, WhatCountsFromNoEventAnyMoreIsShorter) {
  const auto from = [](CountsFrom what) { return RetentionRule{what, {36, 0}, {}}; };
  EXPECT_TRUE(shortens(from(CountsFrom::event), from(CountsFrom::contact)));
  EXPECT_TRUE(shortens(from(CountsFrom::event), from(CountsFrom::collection)));
  EXPECT_FALSE(shortens(from(CountsFrom::contact), from(CountsFrom::event)));
  EXPECT_FALSE(shortens(from(CountsFrom::contact), from(CountsFrom::collection)))
      << "people count from their last contact under both";
  EXPECT_TRUE(
      shortens(kKeepForEver, RetentionRule{CountsFrom::event, {12 * 100, 0}, {12 * 100, 0}}))
      << "any that a policy can state";
}

// Three years typed for thirty destroys as much where nothing was stated before.
TEST_F(RetentionKeeperTest, AFirstRetentionOfWhatIsThereWaitsForAnOperator) {
  const std::array billing{
      PurposeRetention{"atelier", "billing", RetentionRule{CountsFrom::collection, {1, 0}, {}}}};
  ContextSpec spec = email_tokens();
  spec.purpose = "billing";
  const Binding binding =
      std::move(place_.vault->bind("atelier", std::span(&spec, 1)).value().front());
  const std::string token = mint(*place_.vault, binding, "marc@example.fr");
  pass(hours(24 * 2));
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(billing));
  EXPECT_TRUE(frozen());
  const FreezeInfo freeze = KeyAdmin(*place_.vault).freeze_info();
  ASSERT_EQ(freeze.pending.size(), 1U);
  EXPECT_EQ(freeze.pending[0].purpose, "billing");
  EXPECT_EQ(freeze.pending[0].record.rule, kKeepForEver);
  // Stated again it is the same wish; after a restart too.
  restart();
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(billing));
  EXPECT_EQ(KeyAdmin(*place_.vault).freeze_info().pending.size(), 1U);
  pass(hours(24 * 60));
  EXPECT_EQ(open_text(*place_.vault, token, "billing"), "marc@example.fr");
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  EXPECT_FALSE(frozen());
  pass(hours(24 * 5));
  EXPECT_EQ(open_text(*place_.vault, token, "billing"), "(unavailable)");
}

// What began today was meant so.
TEST_F(RetentionKeeperTest, AFirstRetentionOfSomethingNewHoldsAtOnce) {
  const std::array billing{
      PurposeRetention{"atelier", "billing", RetentionRule{CountsFrom::collection, {1, 0}, {}}}};
  ContextSpec spec = email_tokens();
  spec.purpose = "billing";
  ASSERT_TRUE(place_.vault->bind("atelier", std::span(&spec, 1)));
  ASSERT_TRUE(KeyAdmin(*place_.vault).set_retentions(billing));
  EXPECT_FALSE(frozen());
  EXPECT_TRUE(KeyAdmin(*place_.vault).freeze_info().pending.empty());
}

TEST_F(RetentionKeeperTest, DisablesThenDestroysInsideTheLimit) {
  // Three months from the first of March: gone before the first of June.
  pass_to(day(2026, 5, 27) + hours(23));
  EXPECT_EQ(march(), KeyState::deactivated) << "its epoch is over";
  EXPECT_EQ(open(), "anne@example.fr");
  pass(hours(2));
  EXPECT_EQ(march(), KeyState::suspended);
  EXPECT_EQ(open(), "(unavailable)");
  pass(hours(70));
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(3));
  EXPECT_EQ(march(), KeyState::destroyed);
  EXPECT_LT(place_.clock.now(), day(2026, 6, 1));
  EXPECT_EQ(notes_.lines,
            (std::vector<std::string>{"deactivate contact 2026-03", "disable contact 2026-03",
                                      "destroy contact 2026-03"}));
}

TEST_F(RetentionKeeperTest, OnlyRunningTimeCountsAndARestartDoesNotReset) {
  stand_still_to(day(2026, 5, 28));
  tick();
  ASSERT_EQ(march(), KeyState::suspended) << "disabled as soon as it runs again";
  pass(hours(40));
  // Out of order for a week, so the limit passes; the guard holds all the same.
  stand_still_to(day(2026, 6, 7));
  tick();
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(30));
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(4));
  EXPECT_EQ(march(), KeyState::destroyed);
}

TEST_F(RetentionKeeperTest, AClockThatJumpsFreezesUntilSomebodyConfirms) {
  tick();
  place_.clock.set(day(2029, 1, 1));
  monotonic_.time += hours(1);
  tick();
  EXPECT_TRUE(frozen());
  EXPECT_EQ(march(), KeyState::active);
  restart();
  pass(hours(200));
  EXPECT_TRUE(frozen()) << "a restart does not thaw it";
  EXPECT_EQ(march(), KeyState::active);
  // The clock put right is a jump as well, and nothing new.
  place_.clock.set(day(2026, 3, 16));
  pass(hours(2));
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  pass(hours(48));
  EXPECT_FALSE(frozen());
  EXPECT_EQ(march(), KeyState::active);
  EXPECT_EQ(open(), "anne@example.fr");
}

// A day is the least that counts as a jump, either way: summer time and a clock that is set right
// freeze nothing.
TEST_F(RetentionKeeperTest, AJumpIsMoreThanADay) {
  for (const int sign : {1, -1}) {
    tick();
    place_.clock.advance(sign * hours(23));
    tick();
    EXPECT_FALSE(frozen()) << sign;
    place_.clock.advance(sign * hours(25));
    tick();
    EXPECT_TRUE(frozen()) << sign;
    ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
    EXPECT_FALSE(frozen());
  }
}

TEST_F(RetentionKeeperTest, AWrongClockAtAStartDisablesAndDestroysNothingForThreeDays) {
  stand_still_to(day(2031, 1, 1));
  pass(hours(60));
  EXPECT_EQ(march(), KeyState::suspended);
  stand_still_to(day(2026, 3, 20));
  tick();
  EXPECT_TRUE(frozen()) << "far behind what was seen before";
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  tick();
  const auto key = KeyAdmin(*place_.vault).list();
  for (const KeyInfo& info : key) {
    if (info.record.condition.state != KeyState::suspended) continue;
    EXPECT_TRUE(KeyAdmin(*place_.vault).apply(info.record.id, KeyOperation::enable));
  }
  EXPECT_EQ(open(), "anne@example.fr") << "nothing was lost";
}

// However soon the second start comes.
TEST_F(RetentionKeeperTest, AClockThatWasAheadAtTheStartBeforeFreezes) {
  tick();
  stand_still_to(day(2031, 1, 1));
  tick();
  EXPECT_FALSE(frozen()) << "it may have been switched off for so long";
  stand_still_to(day(2026, 3, 20));
  tick();
  EXPECT_TRUE(frozen());
}

TEST_F(RetentionKeeperTest, AShortenedRetentionWaitsForConfirmation) {
  pass_to(day(2026, 4, 20));
  ASSERT_TRUE(state({1, 0}));  // would have been due on the first of April
  EXPECT_TRUE(frozen());
  const FreezeInfo info = KeyAdmin(*place_.vault).freeze_info();
  ASSERT_EQ(info.pending.size(), 1U);
  EXPECT_EQ(info.pending[0].purpose, "contact");
  EXPECT_EQ(info.pending[0].record.pending->active, (CalendarPeriod{1, 0}));
  pass(hours(100));
  EXPECT_EQ(open(), "anne@example.fr");
  ASSERT_TRUE(state({3, 0}));  // it was a typing error
  EXPECT_TRUE(KeyAdmin(*place_.vault).freeze_info().pending.empty());
  EXPECT_TRUE(frozen()) << "still somebody has to look";
  ASSERT_TRUE(state({1, 0}));
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  EXPECT_FALSE(frozen());
  pass(hours(74));
  EXPECT_EQ(march(), KeyState::destroyed);
}

TEST_F(RetentionKeeperTest, ALongerRetentionHoldsAtOnce) {
  pass_to(day(2026, 5, 28));
  ASSERT_EQ(march(), KeyState::suspended);
  ASSERT_TRUE(state({12, 0}));
  EXPECT_FALSE(frozen());
  pass(hours(100));
  EXPECT_EQ(march(), KeyState::suspended) << "not destroyed, and enabled by whoever wants it";
  // And its days of grace begin anew when it is due again.
  EXPECT_EQ(KeyAdmin(*place_.vault).due_before(day(2026, 12, 1)).size(), 0U);
}

TEST_F(RetentionKeeperTest, AHoldStopsTheEnd) {
  const auto hold = KeyAdmin(*place_.vault)
                        .hold("atelier", "contact", std::nullopt, "a court case", day(2026, 8, 1));
  ASSERT_TRUE(hold);
  pass_to(day(2026, 6, 10));
  EXPECT_EQ(open(), "anne@example.fr");
  ASSERT_TRUE(KeyAdmin(*place_.vault).release(*hold));
  pass(hours(2));
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(74));
  EXPECT_EQ(march(), KeyState::destroyed);
}

TEST_F(RetentionKeeperTest, AHoldThatIsOverStopsNothing) {
  ASSERT_TRUE(KeyAdmin(*place_.vault)
                  .hold("atelier", "contact", std::nullopt, "a court case", day(2026, 6, 20)));
  stand_still_to(day(2026, 6, 19));
  tick();
  EXPECT_EQ(open(), "anne@example.fr");
  pass_to(day(2026, 6, 20) + hours(2));
  EXPECT_EQ(march(), KeyState::suspended) << "nobody released it, and it is over";
  pass(hours(74));
  EXPECT_EQ(march(), KeyState::destroyed);
}

TEST_F(RetentionKeeperTest, WhatAnOperatorDisabledLongAgoWaitsItsThreeDaysToo) {
  for (const KeyInfo& info : KeyAdmin(*place_.vault).list()) {
    if (info.purpose != "contact") continue;
    ASSERT_TRUE(KeyAdmin(*place_.vault).apply(info.record.id, KeyOperation::disable));
  }
  pass_to(day(2026, 5, 28));
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(71 - 24));
  EXPECT_EQ(march(), KeyState::suspended);
  pass(hours(26));
  EXPECT_EQ(march(), KeyState::destroyed);
}

TEST_F(RetentionKeeperTest, WithoutARecordNothingIsDone) {
  notes_.refuses = true;
  place_.clock.set(day(2026, 5, 29));
  restart();
  EXPECT_FALSE(keeper_->tick());
  EXPECT_EQ(march(), KeyState::active);
  notes_.refuses = false;
  tick();
  EXPECT_EQ(march(), KeyState::suspended);
}

TEST_F(RetentionKeeperTest, DueListsWhatWillGoSoonestFirst) {
  const KeyAdmin admin(*place_.vault);
  EXPECT_TRUE(admin.due_before(day(2026, 5, 27)).empty());
  const auto due = admin.due_before(day(2026, 6, 1));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].purpose, "contact");
  EXPECT_EQ(due[0].due->limit, day(2026, 6, 1));
}

}  // namespace
}  // namespace paravent::crypto::vault
