#include "tests/support/allocation_counter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> count{0};
std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> peak{0};
thread_local bool not_counted = false;

void* take(std::size_t size) noexcept {
  if (!not_counted) count.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  const auto more = static_cast<std::int64_t>(::malloc_usable_size(memory));
  const std::int64_t now = live.fetch_add(more, std::memory_order_relaxed) + more;
  if (now > peak.load(std::memory_order_relaxed)) peak.store(now, std::memory_order_relaxed);
  return memory;
}

void give_back(void* memory) noexcept {
  live.fetch_sub(static_cast<std::int64_t>(::malloc_usable_size(memory)),
                 std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

namespace paravent::testing {

std::uint64_t allocations() { return count.load(std::memory_order_relaxed); }

std::int64_t live_bytes() { return live.load(std::memory_order_relaxed); }

void begin_peak() { peak.store(live_bytes(), std::memory_order_relaxed); }

std::int64_t peak_bytes() { return peak.load(std::memory_order_relaxed); }

void leave_this_thread_uncounted() { not_counted = true; }

}  // namespace paravent::testing

// Every form, so that none of the sanitizer's meets one of these on the way back. In a file of
// their own, so that no compiler sees one half of a pair inlined without the other.
void* operator new(std::size_t size) {
  if (void* const memory = take(size)) return memory;
  std::abort();
}
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
