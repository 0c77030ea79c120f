// Counts what a test program takes from the heap with any unaligned form of operator new, and makes
// it fail when told to; linking this library replaces them all, and aligned_alloc. Memory that C
// libraries take with malloc is not seen.
#pragma once

#include <cstddef>
#include <cstdint>

namespace paravent::testing {

// Allocations of the whole program until now. Any thread.
std::uint64_t allocations();

// Bytes that are taken and not given back, with what malloc adds to them; and the most there were
// since begin_peak(). Of a program with one thread.
std::int64_t live_bytes();
void begin_peak();
std::int64_t peak_bytes();

// From now on the calling thread's allocations are not counted: for the test's own side of a
// conversation.
void leave_this_thread_uncounted();

// From now on the calling thread's allocations fail when they are told to; no other thread's do.
// Asio's own, of work that is posted and of coroutines, where it says so.
enum class AndAsio : bool { no, yes };
void let_this_thread_fail(AndAsio and_asio = AndAsio::yes);
enum class Failing : std::uint8_t { once, from_there_on };
// The nth allocation from now of the threads that may fail, 1 for the next one, throws, or is null
// where it may not throw; also those behind it, until stop_failing(), which answers whether any
// did. Any thread.
void fail_allocation(std::uint64_t nth, Failing how);
bool stop_failing();
// Until then those of at least so many bytes fail, as under a limit of address space.
void fail_allocations_of(std::size_t least);

}  // namespace paravent::testing
