#include "crypto/primitives/chacha20_poly1305.h"

#include <sodium.h>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

Status chacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                              MutableBytes out) noexcept {
  if (key.size() != kChachaKeySize || nonce.size() != kChachaNonceSize ||
      out.size() != plaintext.size() + kChachaTagSize) {
    return Error(ErrorKind::usage);
  }
  require_sodium();
  if (crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(),
                                                plaintext.size(), ad.data(), ad.size(), nullptr,
                                                nonce.data(), key.data()) != 0) {
    wipe(out);
    return Error(ErrorKind::internal);
  }
  return {};
}

Status chacha20_poly1305_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                              MutableBytes plaintext) noexcept {
  require_sodium();
  if (key.size() != kChachaKeySize || nonce.size() != kChachaNonceSize ||
      sealed.size() < kChachaTagSize || plaintext.size() != sealed.size() - kChachaTagSize ||
      crypto_aead_chacha20poly1305_ietf_decrypt(plaintext.data(), nullptr, nullptr, sealed.data(),
                                                sealed.size(), ad.data(), ad.size(), nonce.data(),
                                                key.data()) != 0) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  return {};
}

}  // namespace paravent::crypto
