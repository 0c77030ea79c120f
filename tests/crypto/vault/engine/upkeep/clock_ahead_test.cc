// What a wall clock that ran ahead leaves behind, and that somebody's word takes it away: keys of
// times that have not come, keys that were deactivated too early, key backups of the future, days
// of contact of the future.

#include <array>

#include "tests/crypto/vault/engine/upkeep/subject_keeper_support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::hours;

WallTime day(int year, unsigned month, unsigned of_month) {
  return WallTime(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                        static_cast<int>(of_month))) +
         hours(10);
}

class ClockAhead : public testing::Test {
 protected:
  ClockAhead() {
    const std::array policies{atelier()};
    EXPECT_TRUE(place_.vault->register_names(policies));
    token_ = mint(*place_.vault, bind(), "anne@example.fr");
    tick();
  }

  Binding bind() {
    const ContextSpec spec = email_tokens();
    auto bound = place_.vault->bind("atelier", std::span(&spec, 1));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().sentence());
    return bound ? std::move(bound->front()) : Binding{};
  }
  KeyAdmin admin() { return KeyAdmin(*place_.vault); }
  bool frozen() { return admin().freeze_info().keeper.frozen_by(Freeze::clock); }
  // The keeper of a gateway that has just been started.
  void tick() {
    RetentionKeeper keeper(*place_.vault, monotonic_, journal_);
    const auto done = keeper.tick();
    EXPECT_TRUE(done) << (done ? "" : done.error().sentence());
  }
  KeyInfo newest_of(const std::string& epoch) {
    for (const KeyInfo& key : admin().list()) {
      if (key.record.key_class == KeyClass::epoch && epoch_text(key.record.epoch) == epoch &&
          key.primary) {
        return key;
      }
    }
    ADD_FAILURE() << epoch;
    return {};
  }

  DiskVault place_;  // in March 2026
  FakeMonotonic monotonic_;
  NoNotes journal_;
  std::string token_;
};

TEST_F(ClockAhead, AKeyOfTheFutureStopsNewOnesUntilSomebodySaysThatTheClockIsRight) {
  place_.clock.set(day(2027, 6, 1));
  EXPECT_TRUE(bind().available);
  place_.clock.set(day(2026, 3, 16));
  EXPECT_TRUE(bind().available) << "of this month there is one";
  tick();
  EXPECT_TRUE(frozen()) << "no look ever saw the clock ahead, but the key says it";
  place_.clock.set(day(2026, 4, 1));
  EXPECT_FALSE(bind().available);
  EXPECT_LE(bind().valid_until, place_.clock.now()) << "it is asked for again";
  EXPECT_TRUE(admin().clock_is_behind());
  EXPECT_TRUE(place_.vault->audit_detail_key(std::nullopt, place_.clock.now()))
      << "what is done about it can be put on record";
  const std::uint64_t changes = admin().changes();
  ASSERT_TRUE(admin().confirm());
  EXPECT_NE(admin().changes(), changes) << "what could not be made is made at once";
  EXPECT_FALSE(admin().clock_is_behind());
  EXPECT_TRUE(bind().available);
  EXPECT_EQ(mint(*place_.vault, bind(), "anne@example.fr"), token_);
  tick();
  EXPECT_FALSE(frozen());
  // Said once, it holds; and a clock behind the word itself is behind.
  ASSERT_TRUE(place_.open());
  place_.clock.set(day(2026, 5, 1));
  EXPECT_TRUE(bind().available);
  place_.clock.set(day(2026, 3, 30));
  EXPECT_TRUE(admin().clock_is_behind());
  // Behind the last key of the future everything is as before.
  place_.clock.set(day(2027, 8, 1));
  EXPECT_TRUE(bind().available);
  place_.clock.set(day(2027, 7, 1));
  EXPECT_TRUE(admin().clock_is_behind());
}

TEST_F(ClockAhead, WhatWasDeactivatedTooEarlyGetsANextVersion) {
  place_.clock.set(day(2026, 5, 20));
  EXPECT_TRUE(bind().available);
  tick();
  EXPECT_EQ(newest_of("2026-03").record.condition.state, KeyState::deactivated);
  place_.clock.set(day(2026, 3, 16));
  tick();
  EXPECT_TRUE(frozen());
  EXPECT_FALSE(bind().available);
  ASSERT_TRUE(admin().confirm());
  EXPECT_TRUE(bind().available);
  EXPECT_EQ(newest_of("2026-03").record.version, 2U);
  EXPECT_EQ(newest_of("2026-03").record.condition.state, KeyState::active);
  EXPECT_EQ(open_text(*place_.vault, token_), "anne@example.fr");
  EXPECT_EQ(mint(*place_.vault, bind(), "anne@example.fr"), token_);
}

// The same after a rotation whose new version was destroyed: the old one opens, and protects no
// more.
TEST_F(ClockAhead, AnEpochWhoseNewestVersionIsDestroyedGetsANextOne) {
  const Id made = admin().rotate(newest_of("2026-03").record.id).value();
  EXPECT_TRUE(bind().available);
  ASSERT_TRUE(admin().destroy(std::array<Id, 1>{made}));
  EXPECT_TRUE(bind().available);
  EXPECT_EQ(newest_of("2026-03").record.version, 3U);
}

TEST_F(ClockAhead, OneThatIsDisabledGetsNone) {
  ASSERT_TRUE(admin().apply(newest_of("2026-03").record.id, KeyOperation::disable));
  EXPECT_FALSE(bind().available);
  EXPECT_EQ(newest_of("2026-03").record.version, 1U);
}

TEST_F(ClockAhead, KeyBackupsOfTheFutureCountAsMadeNow) {
  const WallTime ahead = day(2027, 1, 1);
  ASSERT_TRUE(place_.vault->note_key_backup({Id{1}, ahead, ahead + hours(24 * 30)}));
  const WallTime now = place_.clock.now();
  EXPECT_EQ(no_key_backup_after(place_.vault->key_backups(), now, now), ahead + hours(24 * 30));
  ASSERT_TRUE(admin().confirm());
  ASSERT_TRUE(place_.open());
  const auto entries = place_.vault->key_backups();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0], (KeyBackupEntry{Id{1}, now, ahead + hours(24 * 30)}));
  // Also once the day has come of which it was.
  EXPECT_EQ(no_key_backup_after(entries, now, ahead + hours(24)), ahead + hours(24 * 30));
}

}  // namespace
}  // namespace paravent::crypto::vault
