// Names that differ in case alone, as readers without case find them.
//
// ASCII and Latin letters (Latin-1, Latin Extended-A), and the three signs that fold into them:
// U+017F to s, U+212A to k, U+212B to å. That is what simple case folding (Unicode CaseFolding.txt,
// C and S) says of these; other scripts are told apart by case, and so are the Turkish dotted and
// dotless letters. Pure functions; a folded text is never longer.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::policies {

constexpr char32_t fold_case(char32_t c) noexcept {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c | 0x20U : c;
  if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 0x20;
  const bool even_is_upper =
      (c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177);
  if (even_is_upper) return c | 1U;
  const bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (odd_is_upper) return c + (c & 1U);
  switch (c) {
    case 0x178:
      return 0xFF;
    case 0x17F:
      return U's';
    case 0x1E9E:
      return 0xDF;
    case 0x212A:
      return U'k';
    case 0x212B:
      return 0xE5;
    default:
      return c;
  }
}

// Takes the first character of `text` off. What is no UTF-8 counts byte by byte. REQUIRES: not
// empty.
constexpr char32_t take_character(std::string_view& text) noexcept {
  const auto byte = [&text](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t lead = byte(0);
  const std::size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 1 || text.size() < size) {
    text.remove_prefix(1);
    return lead;
  }
  char32_t c = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) c = c << 6U | (byte(i) & 0x3FU);
  text.remove_prefix(size);
  return c;
}

constexpr bool same_in_any_case(std::string_view a, std::string_view b) noexcept {
  while (!a.empty() && !b.empty()) {
    if (fold_case(take_character(a)) != fold_case(take_character(b))) return false;
  }
  return a.empty() && b.empty();
}

// Writes the folded text and answers its size. REQUIRES: room for as much as `text` has.
constexpr std::size_t fold_text(std::string_view text, char* out) noexcept {
  std::size_t size = 0;
  const auto put = [&](char32_t byte) { out[size++] = static_cast<char>(byte); };
  while (!text.empty()) {
    const std::size_t before = text.size();
    const char32_t lead = static_cast<unsigned char>(text.front());
    const char32_t c = fold_case(take_character(text));
    if (c < 0x80 || before - text.size() == 1) {
      put(before - text.size() == 1 && lead >= 0x80 ? lead : c);
    } else if (c < 0x800) {
      put(0xC0U | c >> 6U);
      put(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      put(0xE0U | c >> 12U);
      put(0x80U | (c >> 6U & 0x3FU));
      put(0x80U | (c & 0x3FU));
    } else {
      put(0xF0U | c >> 18U);
      put(0x80U | (c >> 12U & 0x3FU));
      put(0x80U | (c >> 6U & 0x3FU));
      put(0x80U | (c & 0x3FU));
    }
  }
  return size;
}

}  // namespace paravent::policies
