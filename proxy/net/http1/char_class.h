// Character classes of RFC 9110 and RFC 3986 as one table, so that a check costs one load per byte.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace paravent::proxy::http1 {

enum CharClass : std::uint8_t {
  kTokenChar = 1,  // RFC 9110 5.6.2
  kNameChar = 2,   // of a request's header name: of a token only letters, digits and '-', because
                   // CGI and its heirs turn '-' into '_', some of them ('php -S', lighttpd) any
                   // other character too, and two spellings of one name would be born
  kPathChar = 4,   // RFC 3986 pchar and '/', without '%'
  kQueryChar = 8,  // RFC 3986 query without '%'; '[' and ']' as well, which browsers leave bare
  kHostChar = 16,  // of a registered name or an IPv4 address
  kDigitChar = 32,
  kHexChar = 64,
  kUnreservedChar = 128,  // RFC 3986 2.3
};

inline constexpr std::array<std::uint8_t, 256> kCharClasses = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&table](std::string_view chars, unsigned classes) {
    for (const char c : chars) {
      auto& cell = table[static_cast<unsigned char>(c)];
      cell = static_cast<std::uint8_t>(cell | classes);
    }
  };
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view digits = "0123456789";
  add(letters, kTokenChar | kNameChar | kPathChar | kQueryChar | kHostChar | kUnreservedChar);
  add(digits, kTokenChar | kNameChar | kPathChar | kQueryChar | kHostChar | kUnreservedChar |
                  kDigitChar | kHexChar);
  add("abcdefABCDEF", kHexChar);
  add("-", kTokenChar | kNameChar);
  add("!#$%&'*+.^_`|~", kTokenChar);
  add("-._~", kPathChar | kQueryChar | kUnreservedChar);
  add("!$&'()*+,;=:@/", kPathChar | kQueryChar);
  add("?[]", kQueryChar);
  add("-._", kHostChar);
  return table;
}();

constexpr bool is(char c, unsigned classes) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

// The value of a hexadecimal digit. REQUIRES: is(c, kHexChar).
constexpr unsigned hex_value(char c) noexcept {
  return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10U;
}

// ASCII only; `lower` is in lower case.
constexpr bool equals_lower(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) return false;
  }
  return true;
}

constexpr bool all_of(std::string_view text, unsigned classes) noexcept {
  for (const char c : text) {
    if (!is(c, classes)) return false;
  }
  return true;
}

// Optional white space (RFC 9110 5.6.3) taken from both ends.
constexpr std::string_view trim_ows(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace paravent::proxy::http1
