// Algorithm: what a context row says its values are protected with. The numbers are stored in
// tokens and context strings for ever: never renumber, never reuse.

#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

enum class Algorithm : std::uint8_t {
  vault_token = 1,         // random 16-byte id, the value is a row in the token store
  derived = 2,             // AES-256-SIV, reversible without a store
  pseudonym = 3,           // HMAC-SHA-256 cut to 20 bytes, one way
  encrypted = 4,           // XAES-256-GCM, randomised
  address = 5,             // ipcrypt-deterministic
  address_prefix = 6,      // ipcrypt-pfx
  address_random = 7,      // ipcrypt-ndx, randomised
  sealed = 8,              // XAES-256-GCM under an encapsulated content key
  sealed_single = 9,       // HPKE, one encapsulation per value
  format_preserving = 10,  // FF1 with AES-256: no integrity and no key id in the text
  encrypted_subject = 11,  // XAES-256-GCM over a handle and a value under the subject's key
  vault_row = 16,          // XAES-256-GCM over a row of the token store
  audit_detail = 17,  // XChaCha20-Poly1305 over the detail of an audit entry (docs/audit-format.md)
  map_cookie = 18,    // reserved: XAES-256-GCM over a browser id
  subject_reference = 19,  // HMAC-SHA-256: which data subject a request is about; no token
  vault_row_subject = 20,  // as encrypted_subject, over a row of the token store
};

// ErrorKind::malformed for a number that is not in the table.
Result<Algorithm> algorithm_from(std::uint8_t number) noexcept;

// The enumerator's name with '-' for '_', for listings and logs.
std::string_view algorithm_name(Algorithm algorithm) noexcept;

}  // namespace paravent::crypto
