// CoarseClock: the kernel's last tick, at most kTick ago. Reading it costs a quarter of the exact
// time; for what is asked with every value, as the age of a content key is. Thread safe.

#pragma once

#include <time.h>

#include "crypto/base/clock.h"

namespace paravent::crypto {

class CoarseClock final : public MonotonicClock {
 public:
  static constexpr std::chrono::milliseconds kTick{10};

  MonotonicTime now() const noexcept override {
    timespec time{};
    if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &time) != 0) return SteadyClock().now();
    return MonotonicTime(std::chrono::seconds(time.tv_sec) +
                         std::chrono::nanoseconds(time.tv_nsec));
  }
};

}  // namespace paravent::crypto
