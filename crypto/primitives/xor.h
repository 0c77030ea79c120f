// XOR of byte strings, eight bytes at a time: the inner step of every mode in this room.

#pragma once

#include <cstdint>
#include <cstring>

#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {

// target[i] ^= mask[i] for i < size; the two may be the same memory, not partly overlapping.
inline void xor_into(std::uint8_t* target, const std::uint8_t* mask, std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, target + i, 8);
    std::memcpy(&b, mask + i, 8);
    a ^= b;
    std::memcpy(target + i, &a, 8);
  }
  for (; i < size; ++i) target[i] = static_cast<std::uint8_t>(target[i] ^ mask[i]);
}

inline void xor_into(AesBlock& target, const AesBlock& mask) noexcept {
  xor_into(target.data(), mask.data(), target.size());
}

}  // namespace paravent::crypto
