// What libsodium's ChaCha20-Poly1305 and XChaCha20-Poly1305 have in common: everything but the size
// of the nonce and the two calls. For their own files alone.

#pragma once

#include <sodium.h>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

struct SodiumAead {
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kTagSize = 16;

  std::size_t nonce_size;
  decltype(&crypto_aead_xchacha20poly1305_ietf_encrypt) encrypt;
  decltype(&crypto_aead_xchacha20poly1305_ietf_decrypt) decrypt;

  Status seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
              MutableBytes out) const noexcept {
    if (key.size() != kKeySize || nonce.size() != nonce_size ||
        out.size() != plaintext.size() + kTagSize) {
      return Error(ErrorKind::usage);
    }
    require_sodium();
    if (encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(), ad.data(), ad.size(),
                nullptr, nonce.data(), key.data()) != 0) {
      wipe(out);
      return Error(ErrorKind::internal);
    }
    return {};
  }

  Status open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
              MutableBytes plaintext) const noexcept {
    require_sodium();
    if (key.size() != kKeySize || nonce.size() != nonce_size || sealed.size() < kTagSize ||
        plaintext.size() != sealed.size() - kTagSize ||
        decrypt(plaintext.data(), nullptr, nullptr, sealed.data(), sealed.size(), ad.data(),
                ad.size(), nonce.data(), key.data()) != 0) {
      wipe(plaintext);
      return Error(ErrorKind::malformed);
    }
    return {};
  }
};

}  // namespace paravent::crypto
