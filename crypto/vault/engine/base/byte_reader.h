// ByteReader: reads the stored binary formats of this room front to back, big endian, within
// bounds.
//
// A read past the end answers zeros and marks the reader failed; the caller asks done() once, at
// the end, instead of after each field. Borrows the bytes.

#pragma once

#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) noexcept : rest_(bytes) {}

  ByteView take(std::size_t size) noexcept {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const ByteView part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }
  std::uint8_t u8() noexcept {
    const ByteView b = take(1);
    return b.empty() ? std::uint8_t{0} : b[0];
  }
  std::uint16_t u16() noexcept {
    const ByteView b = take(2);
    return b.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>((b[0] << 8U) | b[1]);
  }
  std::uint32_t u32() noexcept {
    const ByteView b = take(4);
    return b.empty() ? 0U : load_u32be(b.data());
  }
  std::uint64_t u64() noexcept {
    const std::uint64_t high = u32();
    return (high << 32U) | u32();
  }
  Id id() noexcept { return id_from(as_text(take(16))); }
  ByteView lp() noexcept { return take(u16()); }

  std::size_t remaining() const noexcept { return rest_.size(); }
  bool failed() const noexcept { return failed_; }
  // Everything was there, and nothing is left.
  bool done() const noexcept { return !failed_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace paravent::crypto::vault
