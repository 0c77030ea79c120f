// The id of one exchange, in its answer and in the access log: 64 random bits in hexadecimal.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/primitives/random.h"

namespace paravent::proxy {

inline std::array<char, 16> new_request_id(crypto::RandomBuffer& source) {
  std::array<std::uint8_t, 8> random{};
  source.fill(random);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<char, 16> id{};
  for (std::size_t i = 0; i < random.size(); ++i) {
    id[2 * i] = kHex[random[i] >> 4U];
    id[2 * i + 1] = kHex[random[i] & 15U];
  }
  return id;
}

}  // namespace paravent::proxy
