// HKDF with SHA-256 (RFC 5869). The key tree uses Expand only, since its parents are uniformly
// random; Extract serves inputs that are not. Pure functions; the caller owns and wipes all
// buffers.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/sha256.h"

namespace paravent::crypto {

inline constexpr std::size_t kHkdfMaxOutput = 255 * kSha256Size;

Sha256Digest hkdf_extract_sha256(ByteView salt, ByteView input_key) noexcept;

// Fills `out`. ErrorKind::usage: out is empty or longer than 255 * 32 bytes (RFC 5869 2.3).
Status hkdf_expand_sha256(ByteView prk, ByteView info, MutableBytes out) noexcept;

}  // namespace paravent::crypto
