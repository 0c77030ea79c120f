// SHA-256 (FIPS 180-4): one call, or fed in parts. No heap allocation; a Sha256 is a plain value
// whose copy continues from the same state (a shared prefix is hashed once), wiped when destroyed.

#pragma once

#include <array>
#include <cstddef>

#include "crypto/base/bytes.h"

namespace paravent::crypto {

inline constexpr std::size_t kSha256Size = 32;

using Sha256Digest = std::array<std::uint8_t, kSha256Size>;

class Sha256 {
 public:
  Sha256() noexcept;
  Sha256(const Sha256&) noexcept = default;
  Sha256& operator=(const Sha256&) noexcept = default;
  ~Sha256();

  Sha256& update(ByteView bytes) noexcept;
  // The digest of all that was fed; afterwards only assignment and destruction are allowed.
  Sha256Digest finish() noexcept;

 private:
  alignas(8) std::array<std::uint8_t, 112> state_;  // OpenSSL's SHA256_CTX, checked in the source
};

Sha256Digest sha256(ByteView bytes) noexcept;

}  // namespace paravent::crypto
