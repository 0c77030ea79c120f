// The six bytes in front of every token payload, and the associated data that binds a reversible
// value to them and to its context. Pure functions.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/keys/algorithm.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto {

using TokenHeader = std::array<std::uint8_t, kTokenHeaderSize>;

inline TokenHeader token_header(std::uint32_t key_id, Algorithm algorithm) noexcept {
  TokenHeader header{kTokenFormat, static_cast<std::uint8_t>(algorithm)};
  store_u32be(header.data() + 2, key_id);
  return header;
}

// header | ctx: the one associated-data string of derived and encrypted values. Never empty.
inline std::string token_ad(std::uint32_t key_id, Algorithm algorithm, std::string_view ctx) {
  const TokenHeader header = token_header(key_id, algorithm);
  std::string ad;
  ad.reserve(header.size() + ctx.size());
  append_bytes(ad, header);
  ad.append(ctx);
  return ad;
}

}  // namespace paravent::crypto
