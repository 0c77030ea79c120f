#include "crypto/tokens/utf8.h"

#include <cstdint>
#include <cstring>

namespace paravent::crypto {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

// Length of the leading part that is ASCII, counted in whole words where possible.
std::size_t ascii_prefix(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & kHighBits) != 0) break;
  }
  while (i < text.size() && static_cast<std::uint8_t>(text[i]) < 0x80U) ++i;
  return i;
}

}  // namespace

bool is_ascii(std::string_view text) noexcept { return ascii_prefix(text, 0) == text.size(); }

char32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (at >= text.size()) return kInvalidCodePoint;
  const std::uint8_t lead = byte(at);
  if (lead < 0x80U) {
    ++at;
    return lead;
  }
  if (lead < 0xC2U || lead > 0xF4U) return kInvalidCodePoint;
  const std::size_t length = lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : 4;
  if (text.size() - at < length) return kInvalidCodePoint;
  char32_t point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return kInvalidCodePoint;
    point = (point << 6U) | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (length == 3 && point < 0x800U) || (length == 4 && point < 0x10000U);
  const bool surrogate = point >= 0xD800U && point <= 0xDFFFU;
  if (overlong || surrogate || point > 0x10FFFFU) return kInvalidCodePoint;
  at += length;
  return point;
}

bool is_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while ((at = ascii_prefix(text, at)) < text.size()) {
    if (next_code_point(text, at) == kInvalidCodePoint) return false;
  }
  return true;
}

}  // namespace paravent::crypto
