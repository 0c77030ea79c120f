#include "proxy/net/deadlines.h"

namespace paravent::proxy::net {

DeadlineSlot Deadlines::add(DeadlineHandler& handler) {
  if (!free_.empty()) {
    const DeadlineSlot slot = free_.back();
    free_.pop_back();
    handlers_[slot] = &handler;
    return slot;
  }
  due_.push_back(kNever);
  handlers_.push_back(&handler);
  return static_cast<DeadlineSlot>(due_.size() - 1);
}

void Deadlines::remove(DeadlineSlot slot) {
  due_[slot] = kNever;
  handlers_[slot] = nullptr;
  free_.push_back(slot);
}

void Deadlines::tick() {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start_);
  now_ = static_cast<std::uint64_t>(elapsed.count()) / kTickMs;
  // By index: a handler may add slots.
  for (std::size_t i = 0; i < due_.size(); ++i) {
    if (due_[i] > now_) continue;
    due_[i] = kNever;
    handlers_[i]->on_deadline(static_cast<DeadlineSlot>(i));
  }
}

}  // namespace paravent::proxy::net
