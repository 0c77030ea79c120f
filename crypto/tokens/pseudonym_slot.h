// PseudonymSlot: pseudonyms of one key: HMAC-SHA-256 over context, scope, value and form, as token
// text, cut to fewer bits, or in a shape (docs/token-format.md 6). Immutable after create.
//
// Everything that changes what is written goes into the MAC's input, so that surrogates of two
// scopes, shapes, lengths or numbers of bits share nothing, not even a prefix.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto {

class PseudonymSlot {
 public:
  static Result<PseudonymSlot> create(const ProtectionKey& key);

  // REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out) const;

  // 64 uniform bits of the value that no pseudonym of it shows: for keyed choices such as the days
  // that a person's dates are shifted by.
  Result<std::uint64_t> number(std::string_view value) const;

 private:
  PseudonymSlot(const TokenHeader& header, const HmacSha256& mac) : header_(header), mac_(mac) {}

  TokenHeader header_;
  HmacSha256 mac_;  // with LP(ctx) already hashed
};

}  // namespace paravent::crypto
