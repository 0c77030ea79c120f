#include "bench/support/histogram.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace paravent::bench {
namespace {

TEST(Histogram, QuantilesStayWithinABucket) {
  Histogram histogram;
  for (std::uint64_t ns = 1; ns <= 1'000'000; ns += 10) histogram.record(ns);
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = q * 1e6;
    const auto found = static_cast<double>(histogram.quantile(q));
    EXPECT_GE(found, exact - 10) << q;
    EXPECT_LE(found, exact * (1 + 1.0 / 64) + 20) << q;
  }
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (const std::uint64_t ns : {3U, 5U, 63U}) histogram.record(ns);
  EXPECT_EQ(histogram.quantile(0.34), 5U);
  EXPECT_EQ(histogram.quantile(1.0), 63U);
}

TEST(Histogram, NothingRecordedIsZeroAndClearForgets) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  histogram.record(1000);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.99), 0U);
}

TEST(Histogram, GivesEachBucketThatHoldsSomething) {
  Histogram histogram;
  for (const std::uint64_t ns : {5U, 1'000'000U, 3U, 5U}) histogram.record(ns);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  histogram.for_each(
      [&](std::uint64_t edge, std::uint64_t count) { seen.emplace_back(edge, count); });
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], std::pair(std::uint64_t{3}, std::uint64_t{1}));
  EXPECT_EQ(seen[1], std::pair(std::uint64_t{5}, std::uint64_t{2}));
  EXPECT_EQ(seen[2], std::pair(histogram.quantile(1.0), std::uint64_t{1}));
}

TEST(Histogram, TakesTheWholeRange) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  EXPECT_EQ(histogram.quantile(1.0), ~std::uint64_t{0});
}

}  // namespace
}  // namespace paravent::bench
