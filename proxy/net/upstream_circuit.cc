#include "proxy/net/upstream_circuit.h"

#include <algorithm>

namespace paravent::proxy::net {

bool UpstreamCircuit::failed(std::uint64_t now_ms) noexcept {
  const std::lock_guard lock(mutex_);
  const std::uint64_t until = open_until_ms_.load(std::memory_order_relaxed);
  if (until > 0) {
    // What was under way when it opened says nothing new; a try that failed does.
    if (now_ms < until) return false;
    pause_ms_ = std::min(pause_ms_ * 2, kLongestPauseMs);
  } else if (++failures_ < kTrip) {
    return false;
  } else {
    pause_ms_ = kFirstPauseMs;
  }
  open_until_ms_ = now_ms + pause_ms_;
  return true;
}

// Of a target that breaks behind each head, the next failure opens the circuit again: what failed
// in a row is forgotten by a whole answer only.
void UpstreamCircuit::close() noexcept {
  const std::lock_guard lock(mutex_);
  open_until_ms_ = 0;
  trying_ = false;  // however long the rest of its answer takes
  pause_ms_ = kFirstPauseMs;
}

}  // namespace paravent::proxy::net
