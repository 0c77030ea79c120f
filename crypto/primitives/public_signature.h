// VerificationKey: somebody else's public key, and whether they signed something with it: RSASSA
// PKCS#1 v1.5 with SHA-256 (RFC 8017 8.2), ECDSA on P-256 with SHA-256 (FIPS 186-4), Ed25519
// (RFC 8032). The three of RFC 7518 and RFC 8037 that credentials of other issuers come with.
//
// A key is of one algorithm and verifies nothing else: what a message says of its algorithm changes
// nothing here. Immutable, copies share; verify() may be called by several threads at once. The
// first two by OpenSSL, the third by libsodium (ed25519.h).

#pragma once

#include <cstdint>
#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

struct evp_pkey_st;

namespace paravent::crypto {

enum class SignatureAlgorithm : std::uint8_t { rsa_sha256, ecdsa_p256_sha256, ed25519 };

inline constexpr std::size_t kLeastRsaBits = 2048;
inline constexpr std::size_t kMostRsaBits = 8192;  // more only costs time
inline constexpr std::size_t kEcCoordinateSize = 32;

class VerificationKey {
 public:
  // Big-endian, without leading zeros. ErrorKind::malformed: another spelling, a modulus of fewer
  // than 2048 or more than 8192 bits or an even one, an exponent that is even, below 65537 or above
  // 2^32 (small ones invite forgeries, long ones only cost time).
  static Result<VerificationKey> rsa(ByteView modulus, ByteView exponent);
  // 32 bytes each, big-endian. ErrorKind::malformed: another size, or no point of the curve.
  static Result<VerificationKey> ecdsa_p256(ByteView x, ByteView y);
  // 32 bytes. ErrorKind::malformed: another size.
  static Result<VerificationKey> ed25519(ByteView public_key);

  SignatureAlgorithm algorithm() const noexcept { return algorithm_; }

  // `signature`: as long as the modulus; r and s of 32 bytes each (RFC 7518 3.4), not DER; 64 bytes
  // (RFC 8032). False for anything but a valid match.
  bool verify(ByteView message, ByteView signature) const noexcept;

 private:
  VerificationKey(SignatureAlgorithm algorithm, std::shared_ptr<evp_pkey_st> key, Bytes raw)
      : algorithm_(algorithm), key_(std::move(key)), raw_(std::move(raw)) {}

  SignatureAlgorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;  // null: Ed25519
  Bytes raw_;                         // of Ed25519
};

}  // namespace paravent::crypto
