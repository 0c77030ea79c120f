// UInt128: the compilers' 128-bit integer, which ISO C++ does not name, and big-endian loads and
// stores: one instruction each, where shifting single bytes together is a dozen.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace paravent::crypto {

__extension__ using UInt128 = unsigned __int128;

// Two words that are moved together, so that a block is one store.
using UInt64x2 = std::uint64_t __attribute__((vector_size(16)));
// The same where any bytes lie. Not by memcpy, which a hardened build checks at run time where it
// knows the memory's size: a call for each block. A packed member, since clang forgets an alignment
// that is said of an alias.
struct __attribute__((packed, may_alias)) LooseUInt64x2 {
  UInt64x2 words;
};

inline UInt64x2 load_block(const std::uint8_t* p) noexcept {
  return reinterpret_cast<const LooseUInt64x2*>(p)->words;
}
inline void store_block(std::uint8_t* p, UInt64x2 block) noexcept {
  reinterpret_cast<LooseUInt64x2*>(p)->words = block;
}

inline std::uint64_t load_u64be(const std::uint8_t* p) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, p, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

inline void store_u64be(std::uint8_t* p, std::uint64_t value) noexcept {
  if (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  std::memcpy(p, &value, sizeof value);
}

inline UInt128 load_u128be(const std::uint8_t* p) noexcept {
  return (UInt128{load_u64be(p)} << 64U) | load_u64be(p + 8);
}

inline void store_u128be(std::uint8_t* p, UInt128 value) noexcept {
  UInt64x2 words = {static_cast<std::uint64_t>(value >> 64U), static_cast<std::uint64_t>(value)};
  if (std::endian::native == std::endian::little) {
    words = UInt64x2{__builtin_bswap64(words[0]), __builtin_bswap64(words[1])};
  }
  store_block(p, words);
}

}  // namespace paravent::crypto
