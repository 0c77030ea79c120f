// For threads that allocate once in a while: they share their part of the allocator.

#pragma once

namespace paravent::crypto {

// jemalloc gives a thread an arena, and fills a cache for it with some blocks of every size it ever
// asked for. A reload or a request of the admin API takes a few MiB for a moment; done by one of
// the admin API's 32 threads after the other, it leaves 300 KiB in each one's cache and a few MiB
// in each arena, which looks like growth with every reload. Such threads gain nothing from either:
// after this call the thread has no cache, and arena 0.
//
// For the calling thread, once, at its start. Does nothing where another allocator is linked (under
// the sanitizers).
void this_thread_allocates_seldom() noexcept;

}  // namespace paravent::crypto
