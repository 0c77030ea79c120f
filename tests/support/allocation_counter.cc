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

thread_local bool may_fail = false;
thread_local bool asio_may_fail = false;
std::atomic<std::uint64_t> until_failure{0};  // zero: none is to come
std::atomic<bool> armed{false};
std::atomic<std::size_t> too_large{SIZE_MAX};
std::atomic<bool> goes_on_failing{false};
std::atomic<bool> fails{false};
std::atomic<bool> has_failed{false};

bool is_to_fail(std::size_t size) noexcept {
  if (!may_fail || !armed) return false;
  if (size >= too_large) {
    has_failed = true;
    return true;
  }
  if (fails) return true;
  if (until_failure == 0 || --until_failure != 0) return false;
  fails = goes_on_failing.load();
  has_failed = true;
  return true;
}

void* take(std::size_t size) noexcept {
  if (is_to_fail(size)) return nullptr;
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

void let_this_thread_fail(AndAsio and_asio) {
  may_fail = true;
  asio_may_fail = and_asio == AndAsio::yes;
}

void fail_allocation(std::uint64_t nth, Failing how) {
  stop_failing();
  goes_on_failing = how == Failing::from_there_on;
  until_failure = nth;
  armed = true;
}

void fail_allocations_of(std::size_t least) {
  stop_failing();
  too_large = least;
  armed = true;
}

bool stop_failing() {
  armed = false;
  until_failure = 0;
  too_large = SIZE_MAX;
  fails = false;
  return has_failed.exchange(false);
}

}  // namespace paravent::testing

// Asio takes its memory there.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return asio_may_fail && is_to_fail(size) ? nullptr : ::memalign(alignment, size);
}

// Every form, so that none of the sanitizer's meets one of these on the way back. In a file of
// their own, so that no compiler sees one half of a pair inlined without the other.
void* operator new(std::size_t size) {
  if (void* const memory = take(size)) return memory;
  throw std::bad_alloc();
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
