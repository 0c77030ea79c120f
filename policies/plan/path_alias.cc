#include "policies/plan/path_alias.h"

#include <algorithm>
#include <cstddef>

namespace paravent::policies {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr int digit(char c) noexcept { return c <= '9' ? c - '0' : c - 'A' + 10; }

// A blank counts too: it is cut off the end of a segment. What a pattern or a target could not hold
// stays escaped.
bool is_decoded(int byte) noexcept {
  if (byte == ' ') return true;
  if (byte < ' ' || byte > '~') return false;
  return std::string_view("%?#/\\*;").find(static_cast<char>(byte)) == std::string_view::npos;
}

char* fold_segment(std::string_view segment, char* const begin) noexcept {
  char* out = begin;
  segment = segment.substr(0, segment.find(';'));
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%' || i + 2 >= segment.size()) {
      *out++ = lower(segment[i]);
      continue;
    }
    const int byte = digit(segment[i + 1]) * 16 + digit(segment[i + 2]);
    if (is_decoded(byte)) {
      *out++ = lower(static_cast<char>(byte));
    } else {
      out = std::copy_n(segment.data() + i, 3, out);
    }
    i += 2;
  }
  while (out != begin && (out[-1] == '.' || out[-1] == ' ')) --out;
  return out;
}

}  // namespace

std::size_t fold_path(std::string_view path, char* const out) noexcept {
  char* end = out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::size_t size = std::min(path.find('/'), path.size());
    *end = '/';
    char* const segment_end = fold_segment(path.substr(0, size), end + 1);
    if (segment_end != end + 1) end = segment_end;
    path.remove_prefix(size);
  }
  if (end == out) *end++ = '/';
  return static_cast<std::size_t>(end - out);
}

bool names_a_script(std::string_view path) noexcept {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  const std::size_t dot = last.rfind('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < last.size();
}

}  // namespace paravent::policies
