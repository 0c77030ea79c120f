// Clock: where time comes from, so that tests decide what day it is.
//
// Wall time is for epochs, records and retention; MonotonicClock is for how long something has
// lasted (the life of a content key) and never goes back. Deadlines of the network code use
// std::chrono::steady_clock directly. Implementations are thread safe.

#pragma once

#include <time.h>

#include <chrono>

namespace paravent::crypto {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
};

using MonotonicTime = std::chrono::steady_clock::time_point;

class MonotonicClock {
 public:
  virtual ~MonotonicClock() = default;
  virtual MonotonicTime now() const noexcept = 0;
};

// The kernel's last tick, at most kTick ago: reading it costs a quarter of the exact time, and a
// content key is looked at for every value it seals.
class SteadyClock final : public MonotonicClock {
 public:
  static constexpr std::chrono::milliseconds kTick{10};

  MonotonicTime now() const noexcept override {
    timespec time{};
    if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &time) != 0)
      return std::chrono::steady_clock::now();
    return MonotonicTime(std::chrono::seconds(time.tv_sec) +
                         std::chrono::nanoseconds(time.tv_nsec));
  }
};

}  // namespace paravent::crypto
