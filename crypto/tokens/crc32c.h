// CRC-32C (Castagnoli; RFC 3720 B.4): the typing-error check of long token texts, not
// authentication.
//
// Pure function. Uses the processor's instruction where there is one, tables elsewhere; same
// result.

#pragma once

#include <cstdint>

#include "crypto/base/bytes.h"

namespace paravent::crypto {

// `previous` is the result over the bytes before these, so that parts may come one by one.
std::uint32_t crc32c(ByteView bytes, std::uint32_t previous = 0) noexcept;

// The table version, for tests of their agreement.
std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t previous = 0) noexcept;

}  // namespace paravent::crypto
