// The rest of a long number divided by 97, as IBAN (ISO 7064 MOD 97-10) and NIR use it. A letter
// counts as the two digits of its place in the alphabet plus nine: A is 10, Z is 35.

#pragma once

#include <string_view>

namespace paravent::crypto {

// Goes on from `rest`, the rest of what came before. REQUIRES: [0-9A-Z] only.
constexpr unsigned mod97(std::string_view text, unsigned rest = 0) noexcept {
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const unsigned value = static_cast<unsigned>(digit ? c - '0' : c - 'A' + 10);
    rest = (rest * (digit ? 10U : 100U) + value) % 97U;
  }
  return rest;
}

}  // namespace paravent::crypto
