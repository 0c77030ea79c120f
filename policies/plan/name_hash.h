// The hash of the plan's tables. The tables are built from the policy alone and stay small, so a
// client can only miss, never make them degenerate: speed is all that is asked of it.

#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace paravent::policies {

// With kFold, texts that differ only in ASCII case get the same hash.
template <bool kFold>
inline std::uint32_t name_hash(std::string_view text) noexcept {
  constexpr std::uint64_t kFoldMask = kFold ? 0x2020202020202020U : 0U;
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio
  std::uint64_t hash = text.size() * kMultiplier;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = (hash ^ (word | kFoldMask)) * kMultiplier;
    hash ^= hash >> 29;
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    hash = (hash ^ (word | kFoldMask)) * kMultiplier;
  }
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace paravent::policies
