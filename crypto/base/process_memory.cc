#include "crypto/base/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace paravent::crypto {
namespace {

// "max" and whatever else is no number: no limit.
std::uint64_t limited(std::uint64_t bytes, const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  std::uint64_t limit = 0;
  if (!std::getline(in, text)) return bytes;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) return bytes;
  return std::min(bytes, limit);
}

bool names_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

// The limits of a group and of all that it lies in. In a container its own group is mounted as the
// tree, whatever it is called outside: folders that are not there say nothing.
std::uint64_t least_limit(std::uint64_t bytes, const std::filesystem::path& tree,
                          std::string_view group, std::string_view hard, std::string_view soft) {
  std::filesystem::path at(group);
  for (int depth = 0; depth < 64; ++depth) {
    const std::filesystem::path folder = tree / at.relative_path();
    bytes = limited(bytes, folder / hard);
    if (!soft.empty()) bytes = limited(bytes, folder / soft);
    if (!at.has_relative_path()) break;
    at = at.parent_path();
  }
  return bytes;
}

}  // namespace

std::uint64_t memory_of_process(std::uint64_t machine, const std::filesystem::path& groups,
                                const std::filesystem::path& tree) {
  std::uint64_t bytes = machine;
  std::ifstream in(groups);
  // number:controllers:path, of version 2 with neither number nor controllers.
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view text(line);
    const std::string_view controllers = text.substr(first + 1, second - first - 1);
    const std::string_view group = text.substr(second + 1);
    if (controllers.empty()) {
      bytes = least_limit(bytes, tree, group, "memory.max", "memory.high");
    } else if (names_memory(controllers)) {
      bytes = least_limit(bytes, tree / "memory", group, "memory.limit_in_bytes", {});
    }
  }
  return bytes;
}

std::uint64_t memory_of_process() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  const std::uint64_t machine =
      pages > 0 && size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size)
                            : 0;
  return memory_of_process(machine, "/proc/self/cgroup", "/sys/fs/cgroup");
}

}  // namespace paravent::crypto
