// StripedCount: a counter that many threads add to without sharing a cache line. A sum is a
// snapshot, not a transaction.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

namespace paravent::crypto::vault {

class StripedCount {
 public:
  void add(std::uint64_t count) noexcept {
    const std::size_t hash = std::hash<std::thread::id>()(std::this_thread::get_id());
    // Thread ids are addresses: the low bits are all alike.
    stripes_[(hash >> 12U) % stripes_.size()].value.fetch_add(count, std::memory_order_relaxed);
  }
  std::uint64_t sum() const noexcept {
    std::uint64_t total = 0;
    for (const Stripe& stripe : stripes_) total += stripe.value.load(std::memory_order_relaxed);
    return total;
  }

 private:
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Stripe, 16> stripes_;
};

}  // namespace paravent::crypto::vault
