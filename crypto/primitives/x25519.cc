#include "crypto/primitives/x25519.h"

#include <sodium.h>

#include <cstdlib>

#include "crypto/primitives/random.h"
#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

X25519KeyPair generate_x25519_key_pair() {
  X25519KeyPair pair;
  pair.private_key = SecretBytes(kX25519Size);
  random_bytes(pair.private_key.mutable_bytes());
  const auto public_key = x25519_public_key(pair.private_key.bytes());
  if (!public_key) std::abort();  // cannot fail on 32 bytes
  pair.public_key = *public_key;
  return pair;
}

Result<X25519PublicKey> x25519_public_key(ByteView private_key) noexcept {
  if (private_key.size() != kX25519Size) return Error(ErrorKind::usage);
  require_sodium();
  X25519PublicKey public_key{};
  if (crypto_scalarmult_curve25519_base(public_key.data(), private_key.data()) != 0) {
    return Error(ErrorKind::internal);
  }
  return public_key;
}

Status x25519(ByteView private_key, ByteView public_key, MutableBytes shared) noexcept {
  if (private_key.size() != kX25519Size || public_key.size() != kX25519Size ||
      shared.size() != kX25519Size) {
    wipe(shared);
    return Error(ErrorKind::usage);
  }
  require_sodium();
  // libsodium refuses low-order points by a list; the comparison after it is the rule itself.
  const X25519PublicKey zero{};
  if (crypto_scalarmult_curve25519(shared.data(), private_key.data(), public_key.data()) != 0 ||
      equal_constant_time(shared, zero)) {
    wipe(shared);
    return Error(ErrorKind::malformed);
  }
  return {};
}

}  // namespace paravent::crypto
