// The tweak of a preserved value: the first 16 bytes of SHA-256("paravent/v1/ff1" | ctx | clear
// part), where clear part = u8 clear_prefix | the value with its enciphered digits as '0'. So equal
// digits around different clear parts, or in two contexts, come out unrelated. Pure functions.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/primitives/sha256.h"
#include "crypto/tokens/preserved_form.h"

namespace paravent::crypto {

using PreservedTweak = std::array<std::uint8_t, 16>;

inline Sha256 preserved_tweak_prefix(std::string_view ctx) noexcept {
  constexpr std::string_view kLabel = "paravent/v1/ff1";
  Sha256 hash;
  hash.update(as_bytes(kLabel)).update(as_bytes(ctx));
  return hash;
}

// `clear_part` is what split_preserved left of the value.
inline PreservedTweak preserved_tweak(Sha256 prefix, const PreservedForm& form,
                                      std::string_view clear_part) noexcept {
  const std::array<std::uint8_t, 1> size = {static_cast<std::uint8_t>(form.clear_prefix)};
  const Sha256Digest digest = prefix.update(size).update(as_bytes(clear_part)).finish();
  PreservedTweak tweak;
  std::copy_n(digest.begin(), tweak.size(), tweak.begin());
  return tweak;
}

}  // namespace paravent::crypto
