#include "proxy/body/json_string.h"

#include <cstddef>
#include <cstdint>

#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// REQUIRES: is_hex(c).
std::uint32_t hex_value(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= '9' ? byte - std::uint32_t{'0'} : (byte | 0x20U) - std::uint32_t{'a'} + 10U;
}

// REQUIRES: four hex digits at `p`.
std::uint32_t unit_at(const char* p) noexcept {
  return (hex_value(p[0]) << 12U) | (hex_value(p[1]) << 8U) | (hex_value(p[2]) << 4U) |
         hex_value(p[3]);
}

bool unit_follows(const char* p, const char* end) noexcept {
  return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && is_hex(p[2]) && is_hex(p[3]) &&
         is_hex(p[4]) && is_hex(p[5]);
}

bool is_high_surrogate(std::uint32_t unit) noexcept { return (unit & 0xFC00U) == 0xD800U; }
bool is_low_surrogate(std::uint32_t unit) noexcept { return (unit & 0xFC00U) == 0xDC00U; }

// Past the escape whose backslash is at `p`; nullptr where it is malformed or a lone surrogate.
const char* escape_end(const char* p, const char* end) noexcept {
  if (end - p < 2) return nullptr;
  switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return p + 2;
    case 'u': {
      if (!unit_follows(p, end)) return nullptr;
      const std::uint32_t unit = unit_at(p + 2);
      if (is_low_surrogate(unit)) return nullptr;
      if (!is_high_surrogate(unit)) return p + 6;
      if (!unit_follows(p + 6, end) || !is_low_surrogate(unit_at(p + 8))) return nullptr;
      return p + 12;
    }
    default:
      return nullptr;
  }
}

char short_escape(char c) noexcept {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

StringEnd json_string_end_slowly(const char* p, const char* end) noexcept {
  constexpr StringEnd kMalformed{nullptr, false};
  for (bool escaped = false;;) {
    p = find_stop<HighBytes::stop, '"', '\\'>(p, end);
    if (p == end) return kMalformed;
    if (*p == '"') return {p, escaped};
    if (*p == '\\') {
      escaped = true;
      p = escape_end(p, end);
      if (p == nullptr) return kMalformed;
      continue;
    }
    if (static_cast<unsigned char>(*p) < 0x20U) return kMalformed;
    do {
      p = utf8_step(p, end);
      if (p == nullptr) return kMalformed;
    } while (p != end && static_cast<unsigned char>(*p) >= 0x80U);
  }
}

void append_unescaped(std::string_view inside, std::string& out) {
  for (;;) {
    const std::size_t backslash = inside.find('\\');
    out.append(inside.substr(0, backslash));
    if (backslash == std::string_view::npos) return;
    inside.remove_prefix(backslash);
    if (inside[1] != 'u') {
      out.push_back(short_escape(inside[1]));
      inside.remove_prefix(2);
      continue;
    }
    std::uint32_t code_point = unit_at(inside.data() + 2);
    inside.remove_prefix(6);
    if (is_high_surrogate(code_point)) {
      const std::uint32_t low = unit_at(inside.data() + 2);
      code_point = 0x10000U + ((code_point & 0x3FFU) << 10U) + (low & 0x3FFU);
      inside.remove_prefix(6);
    }
    append_utf8(out, code_point);
  }
}

}  // namespace paravent::proxy::body
