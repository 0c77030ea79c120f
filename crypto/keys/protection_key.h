// ProtectionKey: the key material of one context row, already derived for its use, as the vault
// hands it to whoever protects or opens values. Both directions need the same bytes
// (constructions 4.13), so there is one type.
//
// Move-only; owns its secrets; immutable once handed out, so it may be shared by reference among
// threads that each build their own primitives from it.

#pragma once

#include <cstddef>
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
  // derived: enc.det (64); pseudonym: prf.pseudonym (32); encrypted: enc.rand (32); address: ip.det
  // (16); address_prefix: ip.pfx (32); address_random: ip.ndx (32); format_preserving: fpe.ff1
  // (32); encrypted_subject: enc.rand (32); vault_row, vault_row_subject: vault.row (32). Empty for
  // vault_token, which has its key under the row, for sealed and sealed_single, which are for
  // somebody else to open, and for subject_reference, whose key stays in the vault.
  SecretBytes key;
  // encrypted and encrypted_subject only: enc.nonce (32).
  SecretBytes nonce_key;
  // sealed and sealed_single only: the recipient's X25519 key, raw (32). No secret.
  Bytes public_key;
};

inline constexpr std::size_t kRecipientKeySize = 32;

// Derives the keys of `row` from its parent: the epoch key, 32 bytes. Vault tokens, subject
// references and sealed values derive nothing, and their parent may be empty; sealed values take
// `public_key` as it is. ErrorKind::usage: a parent or a public key of another size, or an
// algorithm that protects no field.
Result<ProtectionKey> make_protection_key(const ContextRow& row, ByteView parent,
                                          ByteView public_key = {});

}  // namespace paravent::crypto
