#include "proxy/pipeline/generalise/dates.h"

#include <gtest/gtest.h>

#include <random>

#include "proxy/pipeline/generalise/date_text.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/proxy/pipeline/generalise/every_function.h"

namespace paravent::proxy {
namespace {

using crypto::testing::read_cases;
using testing::must;

const std::string kCases = "tests/proxy/pipeline/generalise/cases/";

std::string floored(std::string_view text, DateUnit unit, const TimeZone& zone) {
  std::string out;
  return floor_date(text, unit, zone, out) ? out : "-";
}

std::chrono::local_days day(const std::string& iso) {
  const auto read = generalise::read_date(iso);
  EXPECT_TRUE(read) << iso;
  return std::chrono::local_days(read->date);
}

TEST(Dates, AreFlooredInTheirZone) {
  for (const auto& row : read_cases(kCases + "dates.tsv", 5)) {
    const auto zone = must(TimeZone::create(row[0]));
    EXPECT_EQ(floored(row[1], DateUnit::day, zone), row[2]) << row[0] << " " << row[1];
    EXPECT_EQ(floored(row[1], DateUnit::month, zone), row[3]) << row[0] << " " << row[1];
    EXPECT_EQ(floored(row[1], DateUnit::year, zone), row[4]) << row[0] << " " << row[1];
  }
}

TEST(Dates, AgesFallIntoBands) {
  const auto paris = must(TimeZone::create("Europe/Paris"));
  for (const auto& row : read_cases(kCases + "age_band.tsv", 5)) {
    const AgeBands bands{static_cast<std::uint32_t>(std::stoul(row[1])),
                         static_cast<std::uint32_t>(std::stoul(row[2]))};
    std::string out;
    const bool done = age_band(row[3], paris, day(row[0]), bands, out).has_value();
    EXPECT_EQ(done ? out : "-", row[4]) << row[0] << " " << row[3];
  }
}

TEST(Dates, AreShiftedInTheirForm) {
  for (const auto& row : read_cases(kCases + "shift_date.tsv", 3)) {
    std::string out;
    const bool done = shift_date(row[0], std::stoi(row[1]), out).has_value();
    EXPECT_EQ(done ? out : "-", row[2]) << row[0] << " " << row[1];
  }
}

// A later moment never gives an earlier day, whichever way it is written.
TEST(Dates, FlooringIsMonotone) {
  std::mt19937_64 rng(1);
  for (const char* name : {"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC"}) {
    const auto zone = must(TimeZone::create(name));
    for (int i = 0; i < 3'000; ++i) {
      const std::int64_t first = 1'000'000'000 + static_cast<std::int64_t>(rng() % 3'000'000'000);
      const std::int64_t second = first + static_cast<std::int64_t>(rng() % 200'000);
      for (const DateUnit unit : {DateUnit::day, DateUnit::month, DateUnit::year}) {
        const std::string one = floored(std::to_string(first), unit, zone);
        ASSERT_LE(one, floored(std::to_string(second), unit, zone)) << name << " " << first;
        ASSERT_EQ(one, floored(std::to_string(first * 1000 + 999), unit, zone));
        ASSERT_EQ(one, floored(std::to_string(first) + ".5", unit, zone));
      }
    }
  }
}

TEST(Dates, AShiftKeepsDistancesAndIsNeverNone) {
  EXPECT_EQ(days_of_shift(0, 1), -1);
  EXPECT_EQ(days_of_shift(1, 1), 1);
  std::array<int, 61> seen{};
  for (std::uint64_t number = 0; number < 6000; ++number) {
    const std::int32_t days = days_of_shift(number, 30);
    ASSERT_GE(days, -30);
    ASSERT_LE(days, 30);
    ++seen[static_cast<std::size_t>(days + 30)];
  }
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i == 30 ? 0 : 100) << i;
  EXPECT_NE(days_of_shift(~std::uint64_t{0}, 0xFFFFFFFF / 4), 0);

  std::string first;
  std::string second;
  ASSERT_TRUE(shift_date("2026-02-20", 17, first));
  ASSERT_TRUE(shift_date("13/03/2026", 17, second));
  EXPECT_EQ(day(second) - day(first), std::chrono::days(21));
  std::string back;
  ASSERT_TRUE(shift_date(first, -17, back));
  EXPECT_EQ(back, "2026-02-20");
}

TEST(TimeZone, KnowsNamesAndNothingElse) {
  for (const char* name : {"", "Paris", "Europe/Paradis", "GMT+25", "GMT+03:30", "europe/paris ",
                           "+02:00", "Etc/Unknown", "\xFF"}) {
    const auto zone = TimeZone::create(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().kind(), crypto::ErrorKind::configuration);
  }
  for (const char* name : {"Europe/Paris", "UTC", "America/Guadeloupe", "Indian/Reunion"}) {
    EXPECT_TRUE(TimeZone::create(name)) << name;
  }
}

TEST(TimeZone, OffsetsChangeAtTheSecond) {
  const auto paris = must(TimeZone::create("Europe/Paris"));
  EXPECT_EQ(paris.offset_at(1774745999), 3600);  // 2026-03-29T00:59:59Z
  EXPECT_EQ(paris.offset_at(1774746000), 7200);
  EXPECT_EQ(paris.offset_at(1792889999), 7200);  // 2026-10-25T00:59:59Z
  EXPECT_EQ(paris.offset_at(1792890000), 3600);
  EXPECT_EQ(paris.offset_at(7'000'000'000), 7200);  // the rules of today go on: July 2191
  EXPECT_EQ(paris.offset_at(-5'000'000'000), 561);  // the mean time of Paris
  EXPECT_EQ(paris.offset_at(-90'000'000'000), 561);
  EXPECT_EQ(TimeZone().offset_at(1774746000), 0);
  const crypto::WallTime late(std::chrono::seconds(1774737000));  // 2026-03-28T22:30:00Z
  EXPECT_EQ(paris.day_at(late), day("2026-03-28"));
  EXPECT_EQ(paris.day_at(late + std::chrono::hours(1)), day("2026-03-29"));
  EXPECT_EQ(TimeZone().day_at(late + std::chrono::hours(1)), day("2026-03-28"));
}

}  // namespace
}  // namespace paravent::proxy
