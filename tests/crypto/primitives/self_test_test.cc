#include "crypto/primitives/self_test.h"

#include <gtest/gtest.h>

namespace paravent::crypto {
namespace {

TEST(SelfTest, PassesOnTheInstalledLibraries) {
  const Status status = run_self_tests();
  EXPECT_TRUE(status.has_value()) << (status ? "" : status.error().sentence());
  EXPECT_TRUE(run_self_tests().has_value()) << "may be run again";
}

}  // namespace
}  // namespace paravent::crypto
