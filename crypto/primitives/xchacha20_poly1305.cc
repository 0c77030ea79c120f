#include "crypto/primitives/xchacha20_poly1305.h"

#include <sodium.h>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

Status xchacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                               MutableBytes out) noexcept {
  if (key.size() != kXchachaKeySize || nonce.size() != kXchachaNonceSize ||
      out.size() != plaintext.size() + kXchachaTagSize) {
    return Error(ErrorKind::usage);
  }
  require_sodium();
  if (crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(),
                                                 plaintext.size(), ad.data(), ad.size(), nullptr,
                                                 nonce.data(), key.data()) != 0) {
    wipe(out);
    return Error(ErrorKind::internal);
  }
  return {};
}

Status xchacha20_poly1305_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                               MutableBytes plaintext) noexcept {
  require_sodium();
  if (key.size() != kXchachaKeySize || nonce.size() != kXchachaNonceSize ||
      sealed.size() < kXchachaTagSize || plaintext.size() != sealed.size() - kXchachaTagSize ||
      crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext.data(), nullptr, nullptr, sealed.data(),
                                                 sealed.size(), ad.data(), ad.size(), nonce.data(),
                                                 key.data()) != 0) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  return {};
}

}  // namespace paravent::crypto
