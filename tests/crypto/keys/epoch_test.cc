#include "crypto/keys/epoch.h"

#include <gtest/gtest.h>

#include <chrono>

namespace paravent::crypto {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr WallTime at(int y, unsigned m, unsigned d) {
  return sys_days{std::chrono::year{y} / std::chrono::month{m} / std::chrono::day{d}};
}

struct Example {
  WallTime time;
  std::string_view day, week, month;
};

// ISO weeks checked against `date -d ... +%G-W%V`.
const Example kExamples[] = {
    {at(1970, 1, 1), "1970-01-01", "1970-W01", "1970-01"},
    {at(1970, 1, 4), "1970-01-04", "1970-W01", "1970-01"},
    {at(1970, 1, 5), "1970-01-05", "1970-W02", "1970-01"},
    {at(2021, 1, 3), "2021-01-03", "2020-W53", "2021-01"},
    {at(2021, 1, 4), "2021-01-04", "2021-W01", "2021-01"},
    {at(2024, 2, 29), "2024-02-29", "2024-W09", "2024-02"},
    {at(2024, 12, 30), "2024-12-30", "2025-W01", "2024-12"},
    {at(2026, 11, 21), "2026-11-21", "2026-W47", "2026-11"},
    {at(2027, 1, 1), "2027-01-01", "2026-W53", "2027-01"},
    {at(9999, 12, 31), "9999-12-31", "9999-W52", "9999-12"},
};

TEST(Epoch, TextOfKnownDays) {
  for (const Example& example : kExamples) {
    EXPECT_EQ(epoch_text(epoch_at(EpochLength::day, example.time)), example.day);
    EXPECT_EQ(epoch_text(epoch_at(EpochLength::week, example.time)), example.week);
    EXPECT_EQ(epoch_text(epoch_at(EpochLength::month, example.time)), example.month);
    EXPECT_EQ(epoch_text(epoch_at(EpochLength::none, example.time)), "none");
  }
}

TEST(Epoch, IndexCountsFrom1970) {
  EXPECT_EQ(epoch_at(EpochLength::day, at(1970, 1, 2)).index, 1);
  EXPECT_EQ(epoch_at(EpochLength::week, at(1970, 1, 12)).index, 2);
  EXPECT_EQ(epoch_at(EpochLength::month, at(2026, 11, 21)).index, 56 * 12 + 10);
  EXPECT_EQ(epoch_at(EpochLength::none, at(2026, 11, 21)), Epoch{});
}

TEST(Epoch, EndIsTheFirstInstantOutside) {
  EXPECT_EQ(epoch_end({EpochLength::month, 56 * 12 + 10}), at(2026, 12, 1));
  EXPECT_EQ(epoch_end(epoch_at(EpochLength::month, at(2026, 12, 31))), at(2027, 1, 1));
  EXPECT_EQ(epoch_end(epoch_at(EpochLength::week, at(2026, 11, 21))), at(2026, 11, 23));
  EXPECT_EQ(epoch_start(epoch_at(EpochLength::week, at(2026, 11, 21))), at(2026, 11, 16));
  EXPECT_EQ(epoch_end(Epoch{}), WallTime::max());
  EXPECT_EQ(epoch_start(Epoch{}), WallTime::min());
}

// Every day of 80 years, for every length: the text comes back, the bounds hold the day, and the
// next epoch begins exactly where this one ends.
TEST(Epoch, PartitionsTime) {
  for (const auto length : {EpochLength::day, EpochLength::week, EpochLength::month}) {
    for (WallTime time = at(1970, 1, 1); time < at(2050, 1, 1); time += hours(24)) {
      const Epoch epoch = epoch_at(length, time);
      ASSERT_TRUE(epoch_valid(epoch));
      ASSERT_LE(epoch_start(epoch), time);
      ASSERT_GT(epoch_end(epoch), time);
      ASSERT_EQ(epoch_at(length, epoch_end(epoch) - milliseconds(1)), epoch);
      ASSERT_EQ(epoch_at(length, epoch_end(epoch)), (Epoch{length, epoch.index + 1}));
      ASSERT_EQ(*parse_epoch(epoch_text(epoch)), epoch);
    }
  }
}

TEST(Epoch, WildClocksAreClamped) {
  EXPECT_EQ(epoch_at(EpochLength::day, WallTime::min()).index, 0);
  EXPECT_EQ(epoch_text(epoch_at(EpochLength::month, WallTime::max())), "9999-12");
  EXPECT_EQ(epoch_at(EpochLength::week, at(1969, 12, 1)).index, 0);
}

TEST(Epoch, ParseTakesOneSpelling) {
  for (const std::string_view bad :
       {"",           "None",       "none ",      "2026",        "2026-1",    "2026-13",
        "2026-00",    "2026-11-31", "2026-11-00", "2025-02-29",  "2026-W00",  "2026-W54",
        "2025-W53",   "2026-w47",   "2026-W4",    "2026W47",     "2026-W471", "1969-12",
        "1969-12-31", "1969-W52",   "10000-01",   "2026/11",     "2026-11-2", "2026-1121x",
        " 026-11",    "+026-11",    "2026-+1",    "2026-11-21 ", "9999-W53",  "2026_11-21"}) {
    EXPECT_FALSE(parse_epoch(bad).has_value()) << bad;
  }
  EXPECT_EQ(*parse_epoch("none"), Epoch{});
}

TEST(Epoch, ValidityOfRawNumbers) {
  EXPECT_TRUE(epoch_valid({EpochLength::none, 0}));
  EXPECT_FALSE(epoch_valid({EpochLength::none, 1}));
  EXPECT_FALSE(epoch_valid({EpochLength::day, -1}));
  EXPECT_FALSE(epoch_valid({EpochLength::month, 8030 * 12}));
  EXPECT_TRUE(epoch_valid({EpochLength::month, 8030 * 12 - 1}));
  EXPECT_FALSE(epoch_valid({static_cast<EpochLength>(4), 0}));
}

TEST(EpochLength, NamesComeBack) {
  for (const std::string_view name : {"none", "day", "week", "month"}) {
    EXPECT_EQ(epoch_length_name(*parse_epoch_length(name)), name);
  }
  EXPECT_FALSE(parse_epoch_length("year").has_value());
  EXPECT_FALSE(parse_epoch_length("Day").has_value());
}

}  // namespace
}  // namespace paravent::crypto
