// AES key wrap, RFC 3394 (KW) and, for any length, RFC 5649 (KWP), by OpenSSL: what hardware
// tokens wrap keys with. Neither takes associated data: what names the key goes inside the wrapped
// bytes (constructions 4.0).
//
// Lengths are checked before OpenSSL sees them, because its EVP interface answers success without
// output on an empty input. Pure functions; any thread; a context and a buffer per call.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

inline constexpr std::size_t kMaxWrappedKey = 65536;

// wrapping_key: 16, 24 or 32 bytes. KW takes 16 bytes or more, a multiple of 8; KWP one byte or
// more; both up to 64 KiB. ErrorKind::usage otherwise.
Result<Bytes> aes_kw_wrap(ByteView wrapping_key, ByteView key);
Result<Bytes> aes_kwp_wrap(ByteView wrapping_key, ByteView key);

// Whatever does not unwrap is ErrorKind::malformed without a sentence.
Result<SecretBytes> aes_kw_unwrap(ByteView wrapping_key, ByteView wrapped);
Result<SecretBytes> aes_kwp_unwrap(ByteView wrapping_key, ByteView wrapped);

}  // namespace paravent::crypto
