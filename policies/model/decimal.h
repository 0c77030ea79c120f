// Decimal: a number as a policy writes it, kept exactly. An optional '-', digits without needless
// zeros, optionally '.' and more digits of which the last is not 0; at most 15 digits, so that
// every one of them has a double of its own. No exponent, no '+', no "-0".
//
// A plain value; parsing is a pure function.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace paravent::policies {

struct Decimal {
  std::string text;  // for results: one number, one text
  double value = 0;  // the nearest double, for arithmetic
};

std::optional<Decimal> parse_decimal(std::string_view text);

}  // namespace paravent::policies
