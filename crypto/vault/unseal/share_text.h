// One share of the root key as text that can be written down: a Bech32m string (BIP-350) of 77
// characters, so that up to four wrong characters are always noticed.
//
//   "pvshare" "1" base32( u8 version 1 | set id's first 4 bytes | u8 threshold | u8 point | 32
//   bytes ) check6
// The set id tells shares of two sets apart; it comes from the record, not from the key, and says
// nothing about it. All upper case is read too. Pure functions.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/shamir.h"

namespace paravent::crypto::vault {

using ShareSet = std::array<std::uint8_t, 4>;

struct ParsedShare {
  ShareSet set{};
  std::uint8_t threshold = 0;
  ShamirShare share;
};

// REQUIRES: share.value has 32 bytes.
SecretBytes share_text(const ShareSet& set, std::uint8_t threshold, const ShamirShare& share);
// ErrorKind::malformed without a sentence for anything that share_text does not write.
Result<ParsedShare> parse_share(std::string_view text);

}  // namespace paravent::crypto::vault
