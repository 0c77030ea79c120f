// The hash of the plan's tables. The tables are built from the policy alone and stay small, so a
// client can only miss, never make them degenerate: speed is all that is asked of it.

#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace paravent::policies {

// Up to eight bytes of a text as a number, without a call to memcpy of unknown size.
inline std::uint64_t short_word(const char* at, std::size_t size) noexcept {
  if (size >= 4) {
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::memcpy(&head, at, 4);
    std::memcpy(&tail, at + size - 4, 4);
    return std::uint64_t{head} << 32U | tail;
  }
  const auto byte = [at](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(at[i])};
  };
  return byte(0) << 16U | byte(size / 2) << 8U | byte(size - 1);
}

// Whether two texts are the same, for such short ones as names: by words, without a call.
inline bool same_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  std::size_t left = a.size();
  const char* p = a.data();
  const char* q = b.data();
  for (; left > 8; left -= 8, p += 8, q += 8) {
    if (std::memcmp(p, q, 8) != 0) return false;
  }
  return left == 0 || short_word(p, left) == short_word(q, left);
}

// With kFold, texts that differ only in ASCII case get the same hash. `seen`: every bit that some
// byte of the text has, at that byte's place or another; the high bits tell what is not ASCII.
template <bool kFold>
inline std::uint32_t name_hash(std::string_view text, std::uint64_t& seen) noexcept {
  constexpr std::uint64_t kFoldMask = kFold ? 0x2020202020202020U : 0U;
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio
  std::uint64_t hash = text.size() * kMultiplier;
  seen = 0;
  const auto mix = [&hash, &seen](std::uint64_t word) {
    seen |= word;
    hash = (hash ^ (word | kFoldMask)) * kMultiplier;
    hash ^= hash >> 29;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  if (left > 0) mix(short_word(at, left));
  return static_cast<std::uint32_t>(hash >> 32);
}

template <bool kFold>
inline std::uint32_t name_hash(std::string_view text) noexcept {
  std::uint64_t unused = 0;
  return name_hash<kFold>(text, unused);
}

}  // namespace paravent::policies
