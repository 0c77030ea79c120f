// AES-GCM (NIST SP 800-38D) with every key size and any nonce length, by OpenSSL. For published
// vectors and formats of other people; fields are encrypted with Xaes256Gcm.
//
// Pure functions; any thread; one context is made per call. tag: 16 bytes at the end.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kAesGcmTagSize = 16;
// What OpenSSL 3.0 takes; an empty nonce is never allowed.
inline constexpr std::size_t kAesGcmMaxNonce = 128;

// out.size() == plaintext.size() + 16. ErrorKind::usage: another size of key (16, 24, 32), nonce
// or out.
Status aes_gcm_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                    MutableBytes out);

// plaintext.size() == sealed.size() - 16. Whatever does not open is ErrorKind::malformed without a
// sentence, and `plaintext` is then all zero.
Status aes_gcm_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                    MutableBytes plaintext);

}  // namespace paravent::crypto
