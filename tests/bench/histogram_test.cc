#include "bench/support/histogram.h"

#include <gtest/gtest.h>

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
