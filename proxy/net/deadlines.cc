#include "proxy/net/deadlines.h"

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {

DeadlineSlot Deadlines::add(DeadlineHandler& handler) {
  if (!free_.empty()) {
    const DeadlineSlot slot = free_.back();
    free_.pop_back();
    handlers_[slot] = &handler;
    return slot;
  }
  // All or nothing; and remove() never asks for memory, since free_ has room for every slot.
  crypto::reserve_one_more(due_, handlers_);
  free_.reserve(due_.capacity());
  due_.push_back(kNever);
  handlers_.push_back(&handler);
  return static_cast<DeadlineSlot>(due_.size() - 1);
}

void Deadlines::remove(DeadlineSlot slot) noexcept {
  due_[slot] = kNever;
  handlers_[slot] = nullptr;
  free_.push_back(slot);
}

// Since construction.
std::uint64_t Deadlines::ms_until(std::chrono::steady_clock::time_point time) const noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time - start_).count());
}

void Deadlines::refresh() noexcept {
  refreshed_ = std::chrono::steady_clock::now();
  now_ = ms_until(refreshed_) / kTickMs;
}

int Deadlines::ms_to_next_tick() const noexcept {
  const std::uint64_t elapsed = ms_until(std::chrono::steady_clock::now());
  const std::uint64_t next = (fired_ + 1) * kTickMs;
  return next > elapsed ? static_cast<int>(next - elapsed) : 0;
}

bool Deadlines::fire_due(std::size_t most) {
  if (at_ == kBetweenTicks) {
    if (now_ == fired_) return false;
    fired_ = now_;
    at_ = 0;
  }
  // By index: a handler may add slots.
  for (std::size_t called = 0; at_ < due_.size();) {
    const std::size_t slot = at_++;
    if (due_[slot] > fired_) continue;
    due_[slot] = kNever;
    handlers_[slot]->on_deadline(static_cast<DeadlineSlot>(slot));
    if (++called == most) return true;
  }
  at_ = kBetweenTicks;
  return false;
}

}  // namespace paravent::proxy::net
