// KeySet: the public keys of one issuer, as it publishes them (JWK Set, RFC 7517 5).
//
// Only keys that can verify a credential here are kept: RSA of 2048 to 8192 bits, EC on P-256, OKP
// Ed25519, with a `kid`, and neither for another use nor for another algorithm. Others are passed
// over, as RFC 7517 5 asks; so are two keys that could be meant by one name, and a key whose
// private half stands in the set, under whatever name. A set that is read may be empty: then the
// issuer has withdrawn its keys, and they must not go on. Immutable; any thread.

#pragma once

#include <cstddef>
#include <optional>
#include <set>
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

// What tells a key from every other, on the record: its `kid`, its algorithm, and its thumbprint
// (RFC 7638: SHA-256, base64url), so that another key under an old name is another key.
struct KeyName {
  std::string kid;
  std::string algorithm;  // RS256, ES256 or EdDSA
  std::string thumbprint;
  auto operator<=>(const KeyName&) const = default;
};
using KeyNames = std::set<KeyName>;

class KeySet {
 public:
  // ErrorKind::malformed with a sentence: no JWK Set, or too large; nothing is known of the
  // issuer's keys then.
  static crypto::Result<KeySet> parse(std::string_view text);

  // nullptr: there is no key of that name for that algorithm. Lives as long as the set.
  const crypto::VerificationKey* find(std::string_view kid,
                                      crypto::SignatureAlgorithm algorithm) const;
  std::size_t size() const noexcept { return keys_.size(); }
  KeyNames names() const;
  // Without the keys that are not among these.
  void keep_only(const KeyNames& names);
  // Keys for our purposes that cannot be used: too short, no point of the curve, without `kid`, of
  // one name with another.
  std::size_t unusable() const noexcept { return unusable_; }
  // Keys that everybody can sign with, because the set holds their private or secret half.
  std::size_t exposed() const noexcept { return exposed_; }

 private:
  struct Named {
    KeyName name;
    std::string value;  // n or x, as it stands in the set
    crypto::VerificationKey key;
  };
  // Takes out what `is_out` says of a key, and says how many that were.
  template <typename IsOut>
  std::size_t drop(IsOut is_out);

  std::vector<Named> keys_;
  std::size_t unusable_ = 0;
  std::size_t exposed_ = 0;
};

}  // namespace paravent::proxy::admin
