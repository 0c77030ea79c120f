#include "crypto/base/clock.h"

#include <gtest/gtest.h>

namespace paravent::crypto {
namespace {

TEST(SystemClock, FollowsTheSystem) {
  const SystemClock clock;
  const auto before =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const WallTime now = clock.now();
  const auto after = std::chrono::system_clock::now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, after);
}

}  // namespace
}  // namespace paravent::crypto
