// ASCII letters and digits, whatever the locale says. Pure functions.

#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace paravent::crypto {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr char to_lower(char c) noexcept {
  const bool upper = c >= 'A' && c <= 'Z';
  return static_cast<char>(c | (upper ? 0x20 : 0));
}

constexpr char to_upper(char c) noexcept {
  const bool lower = c >= 'a' && c <= 'z';
  return static_cast<char>(c & (lower ? ~0x20 : ~0));
}

constexpr void lower(std::span<char> text) noexcept {
  for (char& c : text) c = to_lower(c);
}

// An empty text too.
constexpr bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace paravent::crypto
