// UpstreamCircuit: the circuit breaker of one target, the same for all workers: what one of them
// has met, the others need not meet too.
//
// kTrip failures in a row, whichever worker's, open it; while it is open, no request goes there.
// When its time is over, one request tries: its answer closes the circuit, its failure opens it for
// twice as long. Times are milliseconds of Deadlines::steady_ms(), one worker's of which may be a
// tick behind another's.
//
// Thread safe. Of a request that goes well nothing is written, so that workers do not take a cache
// line from each other; the lock is for failures, and held for a few instructions.

#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace paravent::proxy::net {

class UpstreamCircuit {
 public:
  static constexpr unsigned kTrip = 5;
  static constexpr std::uint64_t kFirstPauseMs = 1'000;
  static constexpr std::uint64_t kLongestPauseMs = 30'000;

  bool is_open() const noexcept { return open_until_ms_.load(std::memory_order_relaxed) > 0; }
  // Open, and its time is over, and nobody tries yet.
  bool may_try(std::uint64_t now_ms) const noexcept {
    const std::uint64_t until = open_until_ms_.load(std::memory_order_relaxed);
    return until > 0 && now_ms >= until && !trying_.load(std::memory_order_relaxed);
  }

  // An exchange begins. True: it is the one that tries an open circuit, and gives that back with
  // end_try() when it ends. Of two workers that begin at once it is one.
  bool begin(std::uint64_t now_ms) noexcept { return may_try(now_ms) && !trying_.exchange(true); }
  void end_try() noexcept { trying_ = false; }

  // What became of it: the head of an answer, which closes an open circuit, and then the whole of
  // it; or a failure. None where the client went away. failed: whether that opened it.
  void answered() noexcept {
    if (is_open()) close();
  }
  void completed() noexcept {
    if (failures_.load(std::memory_order_relaxed) != 0) failures_ = 0;
  }
  bool failed(std::uint64_t now_ms) noexcept;

 private:
  void close() noexcept;

  std::atomic<std::uint64_t> open_until_ms_{0};
  std::atomic<bool> trying_{false};
  std::atomic<unsigned> failures_{0};  // in a row, without one whole answer
  std::mutex mutex_;                   // of who opens and closes; guards pause_ms_
  std::uint64_t pause_ms_ = kFirstPauseMs;
};

}  // namespace paravent::proxy::net
