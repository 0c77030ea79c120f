// Bech32m (BIP-350): text with a checksum made for typing errors. hrp "1" symbols check6, the
// symbols being groups of five bits.
//
// One accepted spelling: one case (all upper is accepted and means the same), no mixed case, spare
// bits zero. The checksum is not authentication. BIP-350 stops at 90 characters, up to which four
// wrong characters are always seen; longer texts keep the 2^-30 chance of passing by accident and
// lose that guarantee. Pure functions; writers append and keep the caller's capacity.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kBech32mLimit = 90;
inline constexpr std::size_t kBech32mCheckSize = 6;

// REQUIRES: hrp is 1 to 83 lower-case characters from '!' to '~'.
void append_bech32m(std::string& out, std::string_view hrp, ByteView payload);

struct Bech32m {
  std::string hrp;                    // lower case
  std::vector<std::uint8_t> symbols;  // 0..31 each, without the checksum
};

// Any Bech32m string of at most `max_length` characters; else ErrorKind::malformed.
Result<Bech32m> decode_bech32m(std::string_view text, std::size_t max_length = kBech32mLimit);

// Whole bytes held by `symbols` data characters, or 0 when no number of bytes gives that many.
constexpr std::size_t bech32m_payload_size(std::size_t symbols) noexcept {
  return symbols * 5 % 8 < 5 ? symbols * 5 / 8 : 0;
}

// The payload of a text of exactly this HRP. Allocates nothing. ErrorKind::malformed: anything
// else, non-zero spare bits, or payload.size() is not what the text's length gives. `text` may be
// all upper case.
Status decode_bech32m_payload(std::string_view text, std::string_view hrp,
                              MutableBytes payload) noexcept;

}  // namespace paravent::crypto
