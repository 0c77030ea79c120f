// Another day: LD_PRELOAD this with LATER_DAYS=FILE, and the wall clock is as many days later as
// the number in that file says at each moment (support/shared_day.h).
//
// Only clock_gettime(2) is changed, and only its wall clock: what counts seconds, and what RocksDB
// takes for the age of its files, stays as it is. For measurements only.

#include <dlfcn.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "bench/support/shared_day.h"

namespace {

constexpr std::int64_t kSecondsOfDay = 24 * 3600;

using Gettime = int (*)(clockid_t, timespec*);
Gettime next = nullptr;
paravent::bench::SharedDay* days = nullptr;

// Whoever asks before goes to the kernel.
[[gnu::constructor]] void prepare() {
  if (const char* const path = ::getenv("LATER_DAYS")) days = paravent::bench::map_shared_day(path);
  next = reinterpret_cast<Gettime>(::dlsym(RTLD_NEXT, "clock_gettime"));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* time) noexcept {
  const int answer = next != nullptr ? next(clock, time)
                                     : static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (answer == 0 && wall && days != nullptr) {
    time->tv_sec += days->load(std::memory_order_relaxed) * kSecondsOfDay;
  }
  return answer;
}
