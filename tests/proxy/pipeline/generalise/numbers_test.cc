// Decimals, bins and the grid of positions.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <sstream>

#include "proxy/pipeline/generalise/decimal.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/proxy/pipeline/generalise/every_function.h"

namespace paravent::proxy {
namespace {

using crypto::testing::read_cases;
using testing::must;

const std::string kCases = "tests/proxy/pipeline/generalise/cases/";

TEST(Decimal, IsReadExactlyAndFloored) {
  for (const auto& row : read_cases(kCases + "decimal.tsv", 3)) {
    const auto decimals = static_cast<std::uint32_t>(std::stoul(row[1]));
    const auto units = generalise::read_decimal(row[0], decimals);
    EXPECT_EQ(units ? std::to_string(*units) : "-", row[2]) << row[0];
  }
}

TEST(Decimal, IsWrittenWithItsZeros) {
  const auto written = [](std::int64_t units, std::uint32_t decimals) {
    std::string out;
    generalise::append_decimal(units, decimals, out);
    return out;
  };
  EXPECT_EQ(written(0, 0), "0");
  EXPECT_EQ(written(0, 2), "0.00");
  EXPECT_EQ(written(-1, 2), "-0.01");
  EXPECT_EQ(written(100, 2), "1.00");
  EXPECT_EQ(written(-12345, 3), "-12.345");
  EXPECT_EQ(written(generalise::kMostUnits, 17), "1.00000000000000000");
  std::mt19937_64 rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto units = static_cast<std::int64_t>(rng() % 2'000'000) - 1'000'000;
    const auto decimals = static_cast<std::uint32_t>(rng() % 8);
    EXPECT_EQ(generalise::read_decimal(written(units, decimals), decimals), units);
  }
}

Bins bins_of(const std::string& settings) {
  if (!settings.starts_with("edges")) return must(Bins::by_step(settings));
  std::istringstream words(settings.substr(5));
  const std::vector<std::string> texts{std::istream_iterator<std::string>(words), {}};
  const std::vector<std::string_view> edges(texts.begin(), texts.end());
  return must(Bins::by_edges(edges));
}

TEST(Bins, Cases) {
  for (const auto& row : read_cases(kCases + "bins.tsv", 3)) {
    std::string out;
    const bool done = bins_of(row[0]).append(row[1], out).has_value();
    EXPECT_EQ(done ? out : "-", row[2]) << row[0] << " of " << row[1];
  }
}

TEST(Bins, NonsenseOfAPolicyIsRefused) {
  for (const char* step :
       {"", "0", "-1", "0.0", "abc", "1e3", "1000000000000001", "0.0000000000000001", "1,5"}) {
    const auto bins = Bins::by_step(step);
    ASSERT_FALSE(bins) << step;
    EXPECT_EQ(bins.error().kind(), crypto::ErrorKind::configuration);
  }
  const std::vector<std::vector<std::string_view>> wrong = {{},           {"1", "1"}, {"2", "1"},
                                                            {"1", "1.0"}, {"a"},      {"1e2"}};
  for (const auto& edges : wrong) EXPECT_FALSE(Bins::by_edges(edges));
}

// A greater number never falls into an earlier bin, and a bin holds the numbers that it names.
TEST(Bins, AreMonotone) {
  std::mt19937_64 rng(2);
  for (const char* settings : {"1", "7", "0.5", "0.03", "edges -10 0 0.5 18 65"}) {
    const Bins bins = bins_of(settings);
    std::string last;
    std::vector<std::string> order;
    for (std::int64_t units = -30'000; units < 30'000; units += 1 + static_cast<int>(rng() % 9)) {
      std::string number;
      generalise::append_decimal(units, 3, number);
      std::string bin;
      ASSERT_TRUE(bins.append(number, bin));
      if (bin == last) continue;
      ASSERT_EQ(std::find(order.begin(), order.end(), bin), order.end())
          << settings << ": back in " << bin << " at " << number;
      order.push_back(bin);
      last = bin;
    }
    EXPECT_GT(order.size(), 3U);
  }
}

GpsGrid::Axis axis_of(const std::string& word) {
  if (word == "latitude") return GpsGrid::Axis::latitude;
  return word == "longitude" ? GpsGrid::Axis::longitude : GpsGrid::Axis::both;
}

TEST(GpsGrid, Cases) {
  for (const auto& row : read_cases(kCases + "gps_grid.tsv", 4)) {
    const auto grid = must(GpsGrid::create(row[0], axis_of(row[1])));
    std::string out;
    const bool done = grid.append(row[2], out).has_value();
    EXPECT_EQ(done ? out : "-", row[3]) << row[0] << " " << row[1] << " of " << row[2];
  }
}

TEST(GpsGrid, NonsenseOfAPolicyIsRefused) {
  for (const char* step : {"", "0", "-0.01", "45.1", "0.0000001", "1e-2", "abc", "360"}) {
    const auto grid = GpsGrid::create(step, GpsGrid::Axis::both);
    ASSERT_FALSE(grid) << step;
    EXPECT_EQ(grid.error().kind(), crypto::ErrorKind::configuration);
  }
}

struct Position {
  double latitude = 0;
  double longitude = 0;
};

Position position_of(const std::string& text) {
  const std::size_t comma = text.find(',');
  return {std::stod(text.substr(0, comma)), std::stod(text.substr(comma + 1))};
}

std::string random_position(std::mt19937_64& rng) {
  std::string text;
  generalise::append_decimal(static_cast<std::int64_t>(rng() % 1'800'000'001) - 900'000'000, 7,
                             text);
  text.push_back(',');
  generalise::append_decimal(static_cast<std::int64_t>(rng() % 3'600'000'001) - 1'800'000'000, 7,
                             text);
  return text;
}

// The middle of the cell is near, within half a cell that is about square; and it is its own
// middle.
TEST(GpsGrid, CellsAreAboutSquareAndPositionsInThem) {
  constexpr double kRadians = 3.14159265358979 / 180;
  std::mt19937_64 rng(3);
  for (const double step : {0.01, 0.1, 1.0}) {
    const auto grid = must(GpsGrid::create(step == 1     ? "1"
                                           : step > 0.05 ? "0.1"
                                                         : "0.01",
                                           GpsGrid::Axis::both));
    for (int i = 0; i < 15'000; ++i) {
      const std::string before = random_position(rng);
      std::string after;
      ASSERT_TRUE(grid.append(before, after)) << before;
      std::string again;
      ASSERT_TRUE(grid.append(after, again));
      ASSERT_EQ(after, again) << before;
      const Position from = position_of(before);
      const Position to = position_of(after);
      ASSERT_LE(std::abs(to.latitude), 90);
      ASSERT_GT(to.longitude, -180.0);
      ASSERT_LE(to.longitude, 180.0);
      ASSERT_LE(std::abs(from.latitude - to.latitude), step / 2 + 1e-9) << before;
      if (std::abs(to.latitude) > 88) continue;
      double apart = std::abs(from.longitude - to.longitude);
      apart = std::min(apart, 360 - apart);
      // In degrees of a great circle: half the width is at most half the step times sqrt(2).
      ASSERT_LE(apart * std::cos(to.latitude * kRadians), step / 2 * 1.4143 + 1e-9) << before;
    }
  }
}

TEST(GpsGrid, LatitudesAreMonotone) {
  std::mt19937_64 rng(4);
  const auto grid = must(GpsGrid::create("0.7", GpsGrid::Axis::latitude));
  double last = -90;
  for (std::int64_t at = -900'000'000; at <= 900'000'000;
       at += static_cast<std::int64_t>(rng() % 300'000)) {
    std::string text;
    generalise::append_decimal(at, 7, text);
    std::string out;
    ASSERT_TRUE(grid.append(text, out));
    ASSERT_GE(std::stod(out), last);
    last = std::stod(out);
  }
}

}  // namespace
}  // namespace paravent::proxy
