// How many days later it is than the machine's clock says: one number in a file, which the program
// that decides it and the gateway that goes by it (later_day.cc) have both mapped. For measurements
// of what happens once a day.

#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace paravent::bench {

using SharedDay = std::atomic<std::int64_t>;
static_assert(SharedDay::is_always_lock_free && sizeof(SharedDay) == sizeof(std::int64_t));

// Null where the file cannot be opened. Stays mapped to the end of the process.
inline SharedDay* map_shared_day(const char* path) noexcept {
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  void* place = MAP_FAILED;
  if (::ftruncate(file, sizeof(SharedDay)) == 0) {
    place = ::mmap(nullptr, sizeof(SharedDay), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  ::close(file);
  return place == MAP_FAILED ? nullptr : static_cast<SharedDay*>(place);
}

}  // namespace paravent::bench
