// MemoryWatch: how full the process is of the memory that it may use, sampled by the workers'
// ticks.
//
// Shedding in two steps, as Envoy's overload manager does it: when tight, connections end with
// their exchange and what is only kept for speed is given back; when full, nothing new is taken.
// The admin listener asks nobody. Thread safe.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace paravent::proxy::net {

enum class MemoryLevel : std::uint8_t { normal, tight, full };

class MemoryWatch {
 public:
  static constexpr std::uint64_t kTightPercent = 95;
  static constexpr std::uint64_t kFullPercent = 98;

  // `resident`: bytes in use; called by one thread at a time.
  explicit MemoryWatch(std::function<std::uint64_t()> resident) : resident_(std::move(resident)) {}

  // `limit` in bytes; 0: no limit. Whichever worker comes first in a period reads; the others
  // return at once.
  MemoryLevel sample(std::uint64_t limit, std::uint64_t now_ms);
  MemoryLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kPeriodMs = 100;

  std::function<std::uint64_t()> resident_;
  std::atomic<std::uint64_t> next_ms_{0};
  std::atomic<bool> reading_{false};
  std::atomic<MemoryLevel> level_{MemoryLevel::normal};
};

// What this process holds in memory (proc(5), statm); 0 where that cannot be read.
std::uint64_t resident_bytes() noexcept;

}  // namespace paravent::proxy::net
