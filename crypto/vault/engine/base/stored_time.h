// How points in time are stored in this room's binary formats: u64 big endian, milliseconds since
// 1970, UTC.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {

inline void append_time(std::string& out, WallTime time) {
  append_u64be(out, static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

inline WallTime time_in(ByteReader& in) noexcept {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(in.u64())));
}

}  // namespace paravent::crypto::vault
