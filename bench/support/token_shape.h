// Whether a text has the shape of one of the gateway's tokens: alphabet, exact length, checksum.
// Written from docs/token-format.md and BIP-350 alone, apart from the gateway's own code, because
// the responder that uses it is the benchmark's witness: it must not share the accused's mistakes.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::bench {

// Lower-case Bech32m with this human-readable part and this total length, spare bits zero.
bool is_bech32m(std::string_view text, std::string_view human_readable, std::size_t length);

// "pve_" and unpadded base64url of header(6) | nonce(24) | frame in a bucket | tag(16) | crc32c(4),
// the checksum (RFC 3720 B.4, big-endian) right.
bool is_encrypted_text(std::string_view text);

// Only characters of the base64url alphabet, and spare bits zero.
bool is_base64url(std::string_view text);

}  // namespace paravent::bench
