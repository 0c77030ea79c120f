// FF1 for strings whose halves exceed 96 bits: the same function as Ff1, with OpenSSL's big
// numbers and heap allocations. Published vectors demand it; no value of the product is that long.

#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {

// `first_block` is AES(P), the keyed start of the round function. REQUIRES what Ff1 has checked:
// digits below the radix, equal lengths, sizes within its limits. ErrorKind::internal when OpenSSL
// fails.
Status ff1_long(AesBlocks& blocks, std::uint32_t radix, const AesBlock& first_block, ByteView tweak,
                std::span<const std::uint16_t> in, std::span<std::uint16_t> out, bool forward);

}  // namespace paravent::crypto
