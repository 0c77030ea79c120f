// Ed25519 signatures (RFC 8032) by libsodium: the signed checkpoints of the audit log.
//
// A seed is 32 random bytes and lives in SecretBytes. Verification is strict: it refuses
// small-order and non-canonical keys and points, and S >= L.

#pragma once

#include <array>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

inline constexpr std::size_t kEd25519SeedSize = 32;
inline constexpr std::size_t kEd25519PublicKeySize = 32;
inline constexpr std::size_t kEd25519SignatureSize = 64;

using Ed25519PublicKey = std::array<std::uint8_t, kEd25519PublicKeySize>;
using Ed25519Signature = std::array<std::uint8_t, kEd25519SignatureSize>;

// Move-only owner of a signing key; sign() may be called by several threads at the same time.
class Ed25519Signer {
 public:
  // seed: 32 bytes, else ErrorKind::usage. Does not keep the caller's seed.
  static Result<Ed25519Signer> create(const SecretBytes& seed);

  Ed25519Signature sign(ByteView message) const noexcept;
  const Ed25519PublicKey& public_key() const noexcept { return public_key_; }

 private:
  Ed25519Signer(SecretBytes expanded, const Ed25519PublicKey& public_key) noexcept
      : expanded_(std::move(expanded)), public_key_(public_key) {}

  SecretBytes expanded_;  // seed | public key, as libsodium keeps it
  Ed25519PublicKey public_key_;
};

// False for anything but a 32-byte key, a 64-byte signature and a valid match.
bool ed25519_verify(ByteView public_key, ByteView message, ByteView signature) noexcept;

}  // namespace paravent::crypto
