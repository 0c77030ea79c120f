#include "crypto/audit/utf8.h"

#include <array>
#include <cstdint>

namespace paravent::crypto::audit {
namespace {

constexpr char32_t kBroken = 0xFFFFFFFF;

// Takes one code point off a text that is not empty.
char32_t take_code_point(std::string_view& text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t size = 1;
  char32_t value = lead;
  char32_t least = 0;
  if (lead >= 0xF0 && lead < 0xF8) {
    size = 4, value = lead & 0x07U, least = 0x10000;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    size = 3, value = lead & 0x0FU, least = 0x800;
  } else if (lead >= 0xC0 && lead < 0xE0) {
    size = 2, value = lead & 0x1FU, least = 0x80;
  } else if (lead >= 0x80) {
    return kBroken;
  }
  if (text.size() < size) return kBroken;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return kBroken;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  text.remove_prefix(size);
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return kBroken;
  return value;
}

bool is_space(char32_t c) noexcept {
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

bool valid_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    if (take_code_point(text) == kBroken) return false;
  }
  return true;
}

bool has_unicode_space(std::string_view text) noexcept {
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (c == kBroken || is_space(c)) return true;
  }
  return false;
}

}  // namespace paravent::crypto::audit
