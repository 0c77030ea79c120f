// Clock: where time comes from, so that tests decide what day it is.
//
// Wall time is for epochs, records and retention; MonotonicClock is for how long something has
// lasted (the life of a content key) and never goes back. Deadlines of the network code use
// std::chrono::steady_clock directly. Implementations are thread safe.

#pragma once

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

class SteadyClock final : public MonotonicClock {
 public:
  MonotonicTime now() const noexcept override { return std::chrono::steady_clock::now(); }
};

}  // namespace paravent::crypto
