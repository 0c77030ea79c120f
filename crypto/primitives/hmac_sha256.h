// HmacSha256: HMAC-SHA-256 (RFC 2104, FIPS 198-1) with both key pads hashed once, so that a 64-byte
// message costs three compressions. No heap allocation. Immutable after create: one instance may be
// used by several threads at the same time; the key states are wiped when it is destroyed.

#pragma once

#include <initializer_list>

#include "crypto/base/bytes.h"
#include "crypto/primitives/sha256.h"

namespace paravent::crypto {

class HmacSha256 {
 public:
  // Any key size (RFC 2104); our own keys are 32 bytes.
  explicit HmacSha256(ByteView key) noexcept;

  Sha256Digest mac(ByteView message) const noexcept;
  // Over prefix | message, without concatenating them.
  Sha256Digest mac(ByteView prefix, ByteView message) const noexcept;
  Sha256Digest mac(std::initializer_list<ByteView> parts) const noexcept;

  // A copy whose later macs are over prefix | message, the prefix hashed once. For a constant
  // context.
  HmacSha256 with_prefix(ByteView prefix) const noexcept;

 private:
  Sha256 inner_;
  Sha256 outer_;
};

Sha256Digest hmac_sha256(ByteView key, ByteView message) noexcept;

}  // namespace paravent::crypto
