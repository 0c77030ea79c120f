// Deadlines: the time limits of everything on one worker, checked by one coarse tick instead of a
// timer each. Setting and clearing is a store; a tick reads one compact array.
//
// A deadline never fires early and at most two ticks late, or as much later as events and the
// handlers of others take. One thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace paravent::proxy::net {

using DeadlineSlot = std::uint32_t;

class DeadlineHandler {
 public:
  // The deadline is cleared before the call.
  virtual void on_deadline(DeadlineSlot slot) = 0;

 protected:
  ~DeadlineHandler() = default;
};

class Deadlines {
 public:
  static constexpr std::uint32_t kTickMs = 100;

  // The handler must stay until remove(). Throws std::bad_alloc, and nothing was added.
  DeadlineSlot add(DeadlineHandler& handler);
  void remove(DeadlineSlot slot) noexcept;

  void set(DeadlineSlot slot, std::uint32_t milliseconds) noexcept {
    // One tick more: the current one is already part gone.
    due_[slot] = now_ + (std::uint64_t{milliseconds} + kTickMs - 1) / kTickMs + 1;
  }
  void clear(DeadlineSlot slot) noexcept { due_[slot] = kNever; }

  // Milliseconds since construction as of the last refresh(), in whole ticks.
  std::uint64_t now_ms() const noexcept { return now_ * kTickMs; }

  // 0 to kTickMs. Reads the clock.
  int ms_to_next_tick() const noexcept;
  // Reads the clock; what is set from here on counts from here.
  void refresh() noexcept;
  // When that last was.
  std::chrono::steady_clock::time_point refreshed() const noexcept { return refreshed_; }
  // The same in milliseconds of the steady clock: what workers may compare with each other's.
  std::uint64_t steady_ms() const noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(refreshed_.time_since_epoch())
            .count());
  }
  // Once per tick, as of the last refresh(): calls the handlers of what is due. After `most` of
  // them it answers true, and goes on at the next call: a thousand clients that are shown out
  // together must not keep the worker from all others.
  bool fire_due(std::size_t most);

 private:
  static constexpr std::size_t kBetweenTicks = std::numeric_limits<std::size_t>::max();
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t ms_until(std::chrono::steady_clock::time_point time) const noexcept;

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point refreshed_ = start_;
  std::uint64_t now_ = 0;
  std::uint64_t fired_ = 0;         // the tick whose deadlines have been looked at, or are being
  std::size_t at_ = kBetweenTicks;  // the next slot to look at
  std::vector<std::uint64_t> due_;
  std::vector<DeadlineHandler*> handlers_;
  std::vector<DeadlineSlot> free_;
};

}  // namespace paravent::proxy::net
