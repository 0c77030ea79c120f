// What is kept of logins under names that nobody has, and of wrong credentials: its file, its
// bound, and that a restart opens nothing.

#include <gtest/gtest.h>

#include <fstream>

#include "crypto/base/encoding.h"
#include "proxy/admin/operators/login_desk.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::WallTime;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{std::chrono::milliseconds(1'800'000'000'000)};

NameDigest digest(std::uint16_t number) {
  return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

FailedList two() {
  FailedList list;
  list.throttle = {kNow, 750};
  list.names[digest(1)] = {5, kNow + minutes(1), kNow};
  list.names[digest(2)] = {1, WallTime(), kNow + seconds(1)};
  return list;
}

TEST(AttemptsFile, ThereAndBack) {
  EXPECT_EQ(parse_attempts(attempts_text(two())), two());
  EXPECT_EQ(parse_attempts(attempts_text({})), FailedList());
}

TEST(AttemptsFile, OneSpellingAndWhole) {
  const std::string good = attempts_text(two());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_attempts(good.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_attempts(good + "\n").has_value());
  const std::string other = "name " + crypto::to_hex(digest(2));
  const auto with = [&](const std::string& old, const std::string& next) {
    std::string text = good;
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), next);
  };
  const std::vector<std::pair<std::string, std::string>> changes{
      {"-v1", "-v2"},
      {" 750", " 0750"},
      {" 750", " -1"},
      {" 750", " 1000001"},
      {"throttle 1800000000000", "throttle 253402300800000"},
      {" 5 ", " 0 "},
      {" 5 ", "  5 "},
      {other, "name " + crypto::to_hex(digest(1))},
      {other, "name " + crypto::to_hex(digest(0))},
      {other, "name 00"},
      {other, other + "00"},
      {"throttle", "name"},
  };
  for (const auto& [old, next] : changes) {
    EXPECT_FALSE(parse_attempts(with(old, next)).has_value()) << old << " as " << next;
  }
}

TEST(FailedAttempts, AnAlteredFileIsRefused) {
  const TempFolder folder;
  write(folder.path() / "attempts", attempts_text(two()) + "x");
  const auto opened = FailedAttempts::open(folder.path());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), crypto::ErrorKind::data);
  EXPECT_FALSE(Operators::open(folder.path(), kInstallation).has_value());
}

TEST(FailedAttempts, AFullListForgetsWhoFailedLeastAndLongestAgo) {
  const TempFolder folder;
  FailedList list;
  for (std::uint16_t i = 0; i < kMostFailedNames; ++i) {
    list.names[digest(i)] = {2, WallTime(), kNow + seconds(i)};
  }
  list.names[digest(0)].failures = 5;  // the oldest, and locked
  list.names[digest(0)].locked_until = kNow + hours(1);
  write(folder.path() / "attempts", attempts_text(list));
  const auto kept = FailedAttempts::open(folder.path()).value();
  const WallTime now = kNow + hours(9);
  ASSERT_TRUE(kept->count(digest(20'000), now).has_value());
  ASSERT_TRUE(kept->count(digest(20'001), now).has_value());
  const auto after = parse_attempts(test::whole_file(folder.path() / "attempts"));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->names.size(), kMostFailedNames);
  EXPECT_TRUE(after->names.contains(digest(0))) << "failures outweigh age";
  EXPECT_FALSE(after->names.contains(digest(1))) << "the oldest of the others goes";
  EXPECT_TRUE(after->names.contains(digest(2))) << "a new one makes room before an older one does";
  EXPECT_FALSE(after->names.contains(digest(20'000)));
  EXPECT_TRUE(after->names.contains(digest(20'001)));
  EXPECT_EQ(kept->locked_until(digest(0)), kNow + hours(1));
}

TEST(FailedAttempts, WhatCannotBeWrittenIsNotCounted) {
  const TempFolder folder;
  const auto inner = folder.path() / "operators";
  std::filesystem::create_directory(inner);
  const auto kept = FailedAttempts::open(inner).value();
  for (std::uint32_t i = 1; i < kFreeFailures; ++i) {
    ASSERT_TRUE(kept->count(digest(1), kNow).has_value());
  }
  std::filesystem::remove_all(inner);
  EXPECT_FALSE(kept->count(digest(1), kNow).has_value());
  EXPECT_FALSE(kept->keep({kNow, 9}).has_value());
  EXPECT_EQ(kept->locked_until(digest(1)), WallTime());
  EXPECT_EQ(kept->throttle(), Throttle());
  std::filesystem::create_directory(inner);
  EXPECT_TRUE(kept->count(digest(1), kNow).has_value());
  EXPECT_EQ(kept->locked_until(digest(1)), kNow + minutes(1));
}

// Operators on a disk, and a process that ends without a word and begins again.
class ThrottleOnDisk : public testing::Test {
 protected:
  ThrottleOnDisk() {
    std::filesystem::create_directory(folder());
    const auto list = api.operators->list();
    EXPECT_TRUE(Operators::open(folder(), kInstallation).value()->keep(list).has_value());
    begin_again();
  }
  void begin_again() {
    api.api.reset();
    api.operators.reset();
    api.operators = Operators::open(folder(), kInstallation, &api.clock).value();
    api.restart();
  }
  std::filesystem::path folder() const { return api.folder.path() / "operators"; }
  int asks(const std::string& credential) { return api.get("/v1/whoami", credential).status; }
  // How many of so many wrong ones were answered 401.
  std::uint32_t wrong(std::uint32_t times) {
    std::uint32_t refused = 0;
    for (std::uint32_t i = 0; i < times; ++i) refused += asks("pvcred_wrong") == 401 ? 1U : 0U;
    return refused;
  }

  Api api;
};

TEST_F(ThrottleOnDisk, StaysClosedAcrossARestart) {
  EXPECT_EQ(wrong(WrongCredentials::kMostPerMinute), WrongCredentials::kMostPerMinute);
  EXPECT_EQ(asks("pvcred_wrong"), 429);
  const auto records = api.logs->installation().size();
  begin_again();
  EXPECT_EQ(asks("pvcred_wrong"), 429);
  EXPECT_EQ(asks(api.credentials["dpo"]), 200) << "right ones are never kept waiting";
  EXPECT_EQ(api.logs->installation().size(), records) << "one entry a minute";
  api.clock.move(seconds(61));
  EXPECT_EQ(asks("pvcred_wrong"), 401);
}

TEST_F(ThrottleOnDisk, RestartsGiveNoFurtherThousand) {
  std::uint32_t refused = 0;
  for (int i = 0; i < 8; ++i) {
    refused += wrong(300);
    begin_again();
  }
  EXPECT_LE(refused, WrongCredentials::kMostPerMinute);
  EXPECT_GE(refused, 2 * WrongCredentials::kStep) << "and does not close without cause";
  EXPECT_EQ(asks("pvcred_wrong"), 429);
}

TEST_F(ThrottleOnDisk, IsNotWrittenForEachOfThem) {
  wrong(1);
  const std::string first = test::whole_file(folder() / "attempts");
  EXPECT_NE(first.find(" 250\n"), std::string::npos);
  wrong(WrongCredentials::kStep - 1);
  EXPECT_EQ(test::whole_file(folder() / "attempts"), first);
  wrong(1);
  EXPECT_NE(test::whole_file(folder() / "attempts").find(" 500\n"), std::string::npos);
}

TEST_F(ThrottleOnDisk, AClockThatWasAheadDoesNotKeepItClosed) {
  api.clock.move(hours(1));
  wrong(WrongCredentials::kMostPerMinute + 1);
  api.clock.move(-hours(1) + seconds(5));
  begin_again();
  EXPECT_EQ(asks("pvcred_wrong"), 429);
  api.clock.move(seconds(61));
  EXPECT_EQ(asks("pvcred_wrong"), 401);
}

}  // namespace
}  // namespace paravent::proxy::admin
