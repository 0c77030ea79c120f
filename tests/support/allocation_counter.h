// Counts what a test program takes from the heap with any form of operator new; linking this
// library replaces them all. Memory that C libraries take with malloc is not seen.
#pragma once

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

}  // namespace paravent::testing
