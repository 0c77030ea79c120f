// The form of a value that format-preserving encryption keeps: which of its digits are enciphered,
// which stay, and the value put together again around other digits.
//
// All ASCII digits of a value are enciphered together; every other character, and the country code
// of a phone number with its "+", stays where it is. Cards, SIREN and SIRET end in a Luhn check
// digit that is not enciphered: it is recomputed, and a protected value carries it WRONG on purpose
// (the right one plus 5, modulo 10), so that no payment and no register takes it for somebody's
// number. That same rule is what the way back undoes. A value whose check digit is not the right
// one (a protected value: the wrong one) has no such form; so the SIRETs of La Poste, which follow
// another rule, are refused.
//
// Pure functions on the caller's memory; nothing allocates. The digits are the value: whoever holds
// a PreservedForm wipes it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto {

inline constexpr std::size_t kMinPreservedDigits = 6;   // below 10^6 values FF1 hides nothing
inline constexpr std::size_t kMaxPreservedDigits = 38;  // 10^38 < 2^128
inline constexpr std::size_t kMaxPreservedValue = 512;  // characters in all

// Which way a value is taken: clear values carry the right check digit, protected ones the wrong.
enum class PreservedSide : std::uint8_t { clear, enciphered };

// text, phone, card, siren, siret.
bool kind_preserves(Kind kind) noexcept;

struct PreservedForm {
  std::array<std::uint16_t, kMaxPreservedDigits> digits{};  // 0..9, those that are enciphered
  std::size_t count = 0;
  std::size_t clear_prefix = 0;  // characters in front that stay: "+33"
  bool checked = false;          // a check digit follows the last digit

  std::span<std::uint16_t> used() noexcept { return {digits.data(), count}; }
};

// Takes `value` apart, and overwrites its enciphered digits and its check digit by '0': what is
// left is the clear part, which is the same for the clear and for the enciphered value and goes
// into the tweak behind u8 clear_prefix. ErrorKind::malformed, and `value` as it was: fewer than 6
// or more than 38 digits to encipher, a check digit that is not of this side, too long a value.
// REQUIRES: kind_preserves(kind).
Status split_preserved(Kind kind, PreservedSide side, std::span<char> value, PreservedForm& form);

// Writes the digits back into `value`, which is the clear part that split_preserved left, with the
// check digit of `side`.
void join_preserved(const PreservedForm& form, PreservedSide side, std::span<char> value) noexcept;

// Overwrites the digits.
void wipe(PreservedForm& form) noexcept;

}  // namespace paravent::crypto
