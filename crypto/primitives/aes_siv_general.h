// The whole of AES-SIV (RFC 5297): every key size, any number of associated data strings, an empty
// plaintext. For published vectors and formats of other people; values are protected with
// AesSiv256, which is narrower and faster.
//
// Pure functions; any thread; keys are set up per call. The nonce-based form of RFC 5297 3 is this
// with the nonce as the last string.

#pragma once

#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kAesSivOverhead = 16;
inline constexpr std::size_t kAesSivMaxStrings = 126;  // RFC 5297 7, less the plaintext

// key: 32, 48 or 64 bytes; out = SIV (16) | ciphertext, disjoint from `plaintext`.
// ErrorKind::usage: another size, or more strings than allowed.
Status aes_siv_seal(ByteView key, std::span<const ByteView> strings, ByteView plaintext,
                    MutableBytes out);

// plaintext.size() == sealed.size() - 16, disjoint from it. Whatever does not open is
// ErrorKind::malformed without a sentence, and `plaintext` is then all zero.
Status aes_siv_open(ByteView key, std::span<const ByteView> strings, ByteView sealed,
                    MutableBytes plaintext);

}  // namespace paravent::crypto
