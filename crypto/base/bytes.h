// Bytes: the names for owned and borrowed bytes, the conversions between bytes and text views, and
// the two framings that every context string and record of the house is built from.
//
// Big-endian integers and LP(x) = u16be length | bytes, as the constructions call them. Appending
// to a string keeps the caller's capacity, so hot paths reuse one buffer without allocating.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::crypto {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void append_bytes(std::string& out, ByteView bytes) { out.append(as_text(bytes)); }

inline void append_u8(std::string& out, std::uint8_t value) {
  out.push_back(static_cast<char>(value));
}

inline void append_u16be(std::string& out, std::uint16_t value) {
  append_u8(out, static_cast<std::uint8_t>(value >> 8U));
  append_u8(out, static_cast<std::uint8_t>(value));
}

inline void append_u32be(std::string& out, std::uint32_t value) {
  append_u16be(out, static_cast<std::uint16_t>(value >> 16U));
  append_u16be(out, static_cast<std::uint16_t>(value));
}

inline void append_u64be(std::string& out, std::uint64_t value) {
  append_u32be(out, static_cast<std::uint32_t>(value >> 32U));
  append_u32be(out, static_cast<std::uint32_t>(value));
}

// REQUIRES: part.size() <= 65535.
inline void append_lp(std::string& out, std::string_view part) {
  append_u16be(out, static_cast<std::uint16_t>(part.size()));
  out.append(part);
}

inline std::uint32_t load_u32be(const std::uint8_t* p) noexcept {
  return (std::uint32_t{p[0]} << 24U) | (std::uint32_t{p[1]} << 16U) | (std::uint32_t{p[2]} << 8U) |
         std::uint32_t{p[3]};
}

inline void store_u32be(std::uint8_t* p, std::uint32_t value) noexcept {
  p[0] = static_cast<std::uint8_t>(value >> 24U);
  p[1] = static_cast<std::uint8_t>(value >> 16U);
  p[2] = static_cast<std::uint8_t>(value >> 8U);
  p[3] = static_cast<std::uint8_t>(value);
}

}  // namespace paravent::crypto
