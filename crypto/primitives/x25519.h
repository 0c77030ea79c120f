// X25519 (RFC 7748) by libsodium: the key agreement under HPKE, and the key pairs of recipients.
//
// A private key is 32 random bytes and lives in SecretBytes where it lasts. Pure functions; any
// thread. About 55 us for a public key and 66 us for a shared secret.

#pragma once

#include <array>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

inline constexpr std::size_t kX25519Size = 32;

using X25519PublicKey = std::array<std::uint8_t, kX25519Size>;

struct X25519KeyPair {
  SecretBytes private_key;
  X25519PublicKey public_key{};
};

// Fresh, from the kernel's randomness.
X25519KeyPair generate_x25519_key_pair();

// private_key: 32 bytes, else ErrorKind::usage.
Result<X25519PublicKey> x25519_public_key(ByteView private_key) noexcept;

// shared: 32 bytes, wiped on failure. ErrorKind::usage: a wrong size. ErrorKind::malformed: the
// peer's point has low order, so that the secret would be all zero whoever holds the private key
// (RFC 7748 6.1).
Status x25519(ByteView private_key, ByteView public_key, MutableBytes shared) noexcept;

}  // namespace paravent::crypto
