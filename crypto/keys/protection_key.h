// ProtectionKey: the key material of one context row, already derived for its use, as the vault
// hands it to whoever protects or opens values. Both directions need the same bytes
// (constructions 4.13), so there is one type.
//
// Move-only; owns its secrets; immutable once handed out, so it may be shared by reference among
// threads that each build their own primitives from it.

#pragma once

#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/context_row.h"

namespace paravent::crypto {

struct ProtectionKey {
  std::uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::vault_token;
  std::string ctx;
  // vault_token: empty; derived: enc.det (64); pseudonym: prf.pseudonym (32); encrypted: enc.rand
  // (32); vault_row: vault.row (32).
  SecretBytes key;
  // encrypted only: enc.nonce (32).
  SecretBytes nonce_key;
};

// Derives the keys of `row` from its parent (the epoch key, 32 bytes; unused for vault tokens and
// may then be empty). ErrorKind::usage for an algorithm whose issue has not come yet.
Result<ProtectionKey> make_protection_key(const ContextRow& row, ByteView parent);

}  // namespace paravent::crypto
