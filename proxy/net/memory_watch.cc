#include "proxy/net/memory_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {
namespace {

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
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

}  // namespace paravent::proxy::net
