#include "proxy/net/memory_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {
namespace {

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

// The number that a file holds; nothing when it holds another word ("max").
std::optional<std::uint64_t> number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (!(in >> number)) return std::nullopt;
  return number;
}

// cgroup v2: of this process's group and every one above it, the smallest limit (cgroups(7)).
std::optional<std::uint64_t> group_limit() {
  std::ifstream in("/proc/self/cgroup");
  std::optional<std::uint64_t> least;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("0::/")) continue;
    const std::filesystem::path root("/sys/fs/cgroup");
    for (auto group = std::filesystem::path(line.substr(4));; group = group.parent_path()) {
      const auto limit = number_in(root / group / "memory.max");
      if (limit) least = std::min(least.value_or(*limit), *limit);
      if (group.empty()) break;
    }
  }
  return least;
}

}  // namespace

MemoryLevel MemoryWatch::sample(std::uint64_t limit, std::uint64_t now_ms) {
  if (now_ms < next_ms_.load(std::memory_order_relaxed)) return level();
  if (reading_.exchange(true, std::memory_order_acquire)) return level();
  next_ms_.store(now_ms + kPeriodMs, std::memory_order_relaxed);
  const std::uint64_t used = limit == 0 ? 0 : resident_();
  MemoryLevel now = MemoryLevel::normal;
  if (used > limit / 100 * kTightPercent) now = MemoryLevel::tight;
  if (used > limit / 100 * kFullPercent) now = MemoryLevel::full;
  level_.store(now, std::memory_order_relaxed);
  reading_.store(false, std::memory_order_release);
  return now;
}

std::uint64_t resident_bytes() noexcept {
  const UniqueFd fd(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!fd) return 0;
  std::array<char, 128> text{};
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size <= 0) return 0;
  // "TOTAL RESIDENT ..." in pages.
  const std::string_view line(text.data(), static_cast<std::size_t>(size));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
  return pages * page_bytes();
}

std::uint64_t memory_of_machine() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const std::uint64_t machine = pages > 0 ? static_cast<std::uint64_t>(pages) * page_bytes() : 0;
  const auto group = group_limit();
  return group && (machine == 0 || *group < machine) ? *group : machine;
}

}  // namespace paravent::proxy::net
