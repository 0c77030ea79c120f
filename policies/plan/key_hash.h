// The hash of a JSON member's name, equal for names that differ in case alone.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policies/model/selector.h"
#include "policies/plan/key_case.h"
#include "policies/plan/name_hash.h"

namespace paravent::policies {

inline std::uint32_t folded_hash(std::string_view key) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::uint64_t seen = 0;
  const std::uint32_t hash = name_hash<true>(key, seen);
  if ((seen & kHighBits) == 0 || key.size() > kMaxSelectorBytes) return hash;
  std::array<char, kMaxSelectorBytes> buffer;
  return name_hash<true>({buffer.data(), fold_text(key, buffer.data())});
}

}  // namespace paravent::policies
