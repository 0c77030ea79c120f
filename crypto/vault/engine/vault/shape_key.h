// ShapeKey: the texts that vault tokens of one domain take in a shape of their own, and the blind
// keys that these texts are found again under.
//
//   key    = prf.shape of the domain's oldest key, ctx of (tenant, domain) alone
//   text   = append_shape( HMAC(key, LP(shape name) | u8 length | id | u8 attempt) )
//   alias  = HMAC(key, "alias" | LP(text))          -> id, in the token store
//
// A text is short and may meet another row's: then the next attempt is ours. So a text is the
// same for ever, belongs to one row of its domain, and says nothing without the key. Immutable; any
// thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/tokens/shape.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

// Whether vault tokens in this shape are a text of their own: phone to alphanumeric.
bool has_own_text(Shape shape) noexcept;
// Whether the vault can give a token this shape: the above with a length that the policy may ask
// for, and none and email, which are the token's own text.
bool mintable(Shape shape, std::uint8_t length) noexcept;

class ShapeKey {
 public:
  // ErrorKind::data: the domain's key is missing or does not open.
  static Result<ShapeKey> open(const Catalogue& catalogue, const Id& tenant, const Id& domain);

  // Replaces `out`. REQUIRES: has_own_text(shape) and mintable(shape, length).
  void write_text(Shape shape, std::uint8_t length, const Id& id, std::uint8_t attempt,
                  std::string& out) const;
  AliasKey alias(std::string_view text) const;

 private:
  explicit ShapeKey(HmacSha256 mac) noexcept : mac_(mac) {}

  HmacSha256 mac_;
};

}  // namespace paravent::crypto::vault
