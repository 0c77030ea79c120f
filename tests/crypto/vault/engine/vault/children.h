// Work that has to be in a process of its own, which may be killed or end itself; what it returns
// is the exit status.

#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace paravent::crypto::vault {

template <typename Work>
pid_t start_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

// As waitpid() has it.
inline int end_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

template <typename Work>
int in_child(Work work) {
  return end_of(start_child(work));
}

// Many at once: after a fault RocksDB waits a while before it tries again.
inline constexpr std::size_t kSideBySide = 24;

// What each of them tells, in memory that they share with whoever started them.
template <typename Seen>
std::array<Seen, kSideBySide>& shared_with_children() {
  void* const place = ::mmap(nullptr, sizeof(std::array<Seen, kSideBySide>), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) std::abort();
  return *static_cast<std::array<Seen, kSideBySide>*>(place);
}

// Where each of them works.
inline std::filesystem::path place_in(const std::filesystem::path& folder, std::size_t place) {
  return folder / ("work" + std::to_string(place));
}

// How as many children end, each with its place.
template <typename Work>
std::array<int, kSideBySide> side_by_side(Work work) {
  std::array<pid_t, kSideBySide> children{};
  for (std::size_t place = 0; place < kSideBySide; ++place) {
    children[place] = start_child([&] { return work(place); });
  }
  std::array<int, kSideBySide> statuses{};
  for (std::size_t place = 0; place < kSideBySide; ++place)
    statuses[place] = end_of(children[place]);
  return statuses;
}

}  // namespace paravent::crypto::vault
