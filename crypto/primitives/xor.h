// XOR of byte strings, a block at a time: the inner step of every mode in this room. A block that
// is written in halves and then read whole, as AES reads it, waits for the halves to reach the
// cache.

#pragma once

#include <cstdint>

#include "crypto/primitives/aes_block.h"
#include "crypto/primitives/uint128.h"

namespace paravent::crypto {

// target[i] ^= mask[i] for i < size; the two may be the same memory, not partly overlapping.
inline void xor_into(std::uint8_t* target, const std::uint8_t* mask, std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + sizeof(UInt64x2) <= size; i += sizeof(UInt64x2)) {
    store_block(target + i, load_block(target + i) ^ load_block(mask + i));
  }
  for (; i < size; ++i) target[i] = static_cast<std::uint8_t>(target[i] ^ mask[i]);
}

// Few whole blocks: a call costs more. The two may not overlap.
inline void copy_blocks(std::uint8_t* target, const std::uint8_t* source,
                        std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; i += sizeof(UInt64x2)) {
    store_block(target + i, load_block(source + i));
  }
}

inline void xor_into(AesBlock& target, const AesBlock& mask) noexcept {
  xor_into(target.data(), mask.data(), target.size());
}

}  // namespace paravent::crypto
