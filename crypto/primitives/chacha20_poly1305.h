// ChaCha20-Poly1305 (RFC 8439) by libsodium: the AEAD under HPKE. Its 12-byte nonces are too short
// to be random; everything else uses XChaCha20 or XAES.
//
// Pure functions without state; any thread. key: 32 bytes; nonce: 12 bytes; tag: 16 bytes at the
// end. An empty plaintext is allowed. It does not commit to its key.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kChachaKeySize = 32;
inline constexpr std::size_t kChachaNonceSize = 12;
inline constexpr std::size_t kChachaTagSize = 16;

// out = ciphertext | tag, plaintext.size() + 16 bytes; disjoint from `plaintext` or beginning with
// it. ErrorKind::usage: a wrong size of key, nonce or out.
Status chacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                              MutableBytes out) noexcept;

// plaintext.size() == sealed.size() - 16. Whatever does not open is ErrorKind::malformed without a
// sentence, and `plaintext` is then all zero.
Status chacha20_poly1305_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                              MutableBytes plaintext) noexcept;

}  // namespace paravent::crypto
