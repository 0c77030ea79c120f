// A disk whose fsync takes as long as is asked: LD_PRELOAD this with SLOW_FSYNC_US=1000.
//
// Each fsync and fdatasync waits that long in place of what the disk below would take; calls of
// several threads wait side by side, as at a disk with a queue. With SLOW_FSYNC_REAL=1 the real one
// is done as well, and the rest of the time is waited for. For measurements only: without the real
// one nothing is durable.

#include <dlfcn.h>
#include <time.h>

#include <cstdlib>

namespace {

using Sync = int (*)(int);

int slow(const char* name, int file) {
  const char* const us = std::getenv("SLOW_FSYNC_US");
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  const long nanoseconds = until.tv_nsec + 1000L * (us == nullptr ? 0 : std::atol(us));
  until.tv_sec += nanoseconds / 1'000'000'000L;
  until.tv_nsec = nanoseconds % 1'000'000'000L;
  int answer = 0;
  if (std::getenv("SLOW_FSYNC_REAL") != nullptr) {
    answer = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name))(file);
  }
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
  }
  return answer;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int fsync(int file) {
  return slow("fsync", file);
}
extern "C" __attribute__((visibility("default"))) int fdatasync(int file) {
  return slow("fdatasync", file);
}
