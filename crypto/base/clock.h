// Clock: where time comes from, so that tests decide what day it is.
//
// Wall time is for epochs, records and retention; deadlines use std::chrono::steady_clock in the
// network code and never this. Implementations are thread safe.

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

}  // namespace paravent::crypto
