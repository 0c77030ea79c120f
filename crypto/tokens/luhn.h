// The check digit of payment cards, SIREN and SIRET: ISO/IEC 7812-1 annex B ("Luhn"). Pure
// functions over ASCII digits.

#pragma once

#include <string_view>

namespace paravent::crypto {

constexpr unsigned digit_sum(std::string_view digits) noexcept {
  unsigned sum = 0;
  for (const char c : digits) sum += static_cast<unsigned>(c - '0');
  return sum;
}

// The all-zero number passes the sum but is nobody's: it would make one of everybody who fills a
// demanded field with zeros.
constexpr bool luhn_valid(std::string_view digits) noexcept {
  unsigned sum = 0;
  bool twice = false;
  for (auto c = digits.rbegin(); c != digits.rend(); ++c) {
    const unsigned digit = static_cast<unsigned>(*c - '0') * (twice ? 2U : 1U);
    sum += digit > 9 ? digit - 9 : digit;
    twice = !twice;
  }
  return sum != 0 && sum % 10 == 0;
}

}  // namespace paravent::crypto
