// The detail of an audit entry: who, why and about what. Encrypted under the key of its month.
//
//   plaintext = salt 32 | u16be size of the fields | fields | zero padding to a multiple of 64
//   field     = u8 tag | LP(value)             tags ascending; an empty value is left out; only
//   token repeats sealed    = nonce 24 | XChaCha20-Poly1305(key, nonce, AD, plaintext) AD        =
//   "paravent/v1/audit.detail" | 0x00 | LP(origin of the log) | public part of the leaf
//
// The salt keeps the commitment in the leaf from being guessed once the key is gone. Never holds a
// clear value: a subject and a token appear as keyed reference and digest only. Pure functions; any
// thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/merkle.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kMaxDetailField = 4096;
inline constexpr std::size_t kMaxDetailTokens = 1024;

struct AuditToken {
  std::uint32_t key_id = 0;
  Hash digest{};  // SHA-256 of the token's canonical text

  bool operator==(const AuditToken&) const = default;
};

struct AuditDetail {
  std::string operator_name;
  std::string role;
  std::string purpose;
  std::string reason;
  std::string subject;  // the subject reference, raw bytes
  std::string object;   // what was acted on: a key id, a policy's hash, another operator's name
  std::string remark;   // what else is worth knowing, e.g. the kind of refusal
  std::string grant;    // the id of the grant, raw bytes
  std::vector<AuditToken> tokens;
  std::string credential;  // the id of what the operator came with; nothing can be done with it

  bool operator==(const AuditDetail&) const = default;
};

// ErrorKind::usage: a text longer than 4096 bytes, more than 1024 tokens.
Status check_detail(const AuditDetail& detail);

// The plaintext. `salt`: 32 random bytes. REQUIRES: check_detail(detail).
std::string encode_detail(const AuditDetail& detail, ByteView salt);

// ErrorKind::malformed for anything that encode_detail does not write.
Result<AuditDetail> decode_detail(ByteView plaintext);

// Whether a sealed detail can have this size.
bool valid_sealed_detail_size(std::size_t size) noexcept;

// `public_part` is the 23 bytes of the leaf. ErrorKind::usage: a wrong size of key.
Status seal_detail(ByteView key, std::string_view origin, ByteView public_part, ByteView plaintext,
                   std::string& out);
// The plaintext; the caller wipes it. ErrorKind::malformed without a sentence for whatever does not
// open.
Result<std::string> open_detail(ByteView key, std::string_view origin, ByteView public_part,
                                ByteView sealed);

}  // namespace paravent::crypto::audit
