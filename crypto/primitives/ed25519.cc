#include "crypto/primitives/ed25519.h"

#include <sodium.h>

#include <cstdlib>

#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

Result<Ed25519Signer> Ed25519Signer::create(const SecretBytes& seed) {
  if (seed.size() != kEd25519SeedSize) return Error(ErrorKind::usage);
  require_sodium();
  SecretBytes expanded(crypto_sign_ed25519_SECRETKEYBYTES);
  Ed25519PublicKey public_key{};
  if (crypto_sign_ed25519_seed_keypair(public_key.data(), expanded.mutable_bytes().data(),
                                       seed.bytes().data()) != 0) {
    return Error(ErrorKind::internal);
  }
  return Ed25519Signer(std::move(expanded), public_key);
}

Ed25519Signature Ed25519Signer::sign(ByteView message) const noexcept {
  Ed25519Signature signature{};
  if (crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(),
                                   expanded_.bytes().data()) != 0) {
    std::abort();  // cannot fail on a valid key
  }
  return signature;
}

bool ed25519_verify(ByteView public_key, ByteView message, ByteView signature) noexcept {
  if (public_key.size() != kEd25519PublicKeySize || signature.size() != kEd25519SignatureSize) {
    return false;
  }
  require_sodium();
  return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(),
                                             public_key.data()) == 0;
}

}  // namespace paravent::crypto
