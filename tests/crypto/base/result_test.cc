#include "crypto/base/result.h"

#include <gtest/gtest.h>

namespace paravent::crypto {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error(ErrorKind::usage, "The number is odd.");
  return value / 2;
}

TEST(Result, CarriesAValueOrAnError) {
  const Result<int> good = half(4);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(*good, 2);
  const Result<int> bad = half(3);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().kind(), ErrorKind::usage);
  EXPECT_EQ(bad.error().sentence(), "The number is odd.");
}

TEST(Result, KindAloneHasNoSentence) {
  const Status status = Error(ErrorKind::malformed);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
  EXPECT_TRUE(status.error().sentence().empty());
  EXPECT_TRUE(Status().has_value());
}

TEST(ResultDeathTest, ValueOfAnErrorEndsTheProcess) {
  EXPECT_DEATH({ (void)half(3).value(); }, "");
}

}  // namespace
}  // namespace paravent::crypto
