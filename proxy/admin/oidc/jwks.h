// KeySet: the public keys of one issuer, as it publishes them (JWK Set, RFC 7517 5).
//
// Only keys that can verify a credential here are kept: RSA of 2048 to 8192 bits, EC on P-256, OKP
// Ed25519, with a `kid`, and neither for another use nor for another algorithm. Others are passed
// over, as RFC 7517 5 asks; a set that holds a private or secret key, or two keys that could be
// meant by one name, is refused whole. Immutable; any thread.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/primitives/public_signature.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostKeySetBytes = 256 * 1024;
inline constexpr std::size_t kMostKeys = 100;
inline constexpr std::size_t kMostKidBytes = 256;

// RS256, ES256, EdDSA (RFC 7518 3.1, RFC 8037 3.1); nullopt for every other name, `none` and HS256
// among them.
std::optional<crypto::SignatureAlgorithm> jws_algorithm(std::string_view name) noexcept;

class KeySet {
 public:
  // ErrorKind::malformed with a sentence that names no key: no JWK Set, too large, a private key in
  // it, one name for two keys, or no key that could verify anything here.
  static crypto::Result<KeySet> parse(std::string_view text);

  // nullptr: there is no key of that name for that algorithm. Lives as long as the set.
  const crypto::VerificationKey* find(std::string_view kid,
                                      crypto::SignatureAlgorithm algorithm) const;
  std::size_t size() const noexcept { return keys_.size(); }
  // Keys for our purposes that cannot be used: too short, no point of the curve, without `kid`.
  std::size_t unusable() const noexcept { return unusable_; }

 private:
  struct Named {
    std::string kid;
    crypto::VerificationKey key;
  };
  std::vector<Named> keys_;
  std::size_t unusable_ = 0;
};

}  // namespace paravent::proxy::admin
