// Shape: what a surrogate must look like for a backend that validates. Only vault tokens,
// pseudonyms and (preserve) FF1 values have one; `none` is the token text itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace paravent::crypto {

enum class Shape : std::uint8_t {
  none = 0,
  email = 1,  // token@domain; the only shape that carries a checksum
  phone = 2,  // +999 and twelve digits: a country code that nobody has
  digits = 3,
  digits_digits = 4,  // "digits.digits", as the client id of Google Analytics
  hex16 = 5,          // sixteen hexadecimal digits, as Matomo's visitor id
  uuid = 6,           // version 4 in appearance
  alphanumeric = 7,
  ip = 8,         // an address literal in fd00::/8
  ipv4 = 9,       // an address literal in 240.0.0.0/4
  preserve = 10,  // as long and of the same characters as the value
};

// The policy's word: "digits.digits" for digits_digits; empty for none.
std::string_view shape_name(Shape shape) noexcept;
std::optional<Shape> shape_from_name(std::string_view name) noexcept;

}  // namespace paravent::crypto
