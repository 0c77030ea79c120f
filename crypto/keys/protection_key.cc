#include "crypto/keys/protection_key.h"

#include "crypto/keys/key_use.h"

namespace paravent::crypto {

Result<ProtectionKey> make_protection_key(const ContextRow& row, ByteView parent) {
  ProtectionKey made;
  made.key_id = row.key_id;
  made.algorithm = row.algorithm;
  made.ctx = context_string(row);
  if (row.algorithm == Algorithm::vault_token) return made;
  if (parent.size() != kParentKeySize) return Error(ErrorKind::usage);
  switch (row.algorithm) {
    case Algorithm::derived:
      made.key = derive_use_key(parent, KeyUse::enc_det, made.ctx);
      return made;
    case Algorithm::pseudonym:
      made.key = derive_use_key(parent, KeyUse::prf_pseudonym, made.ctx);
      return made;
    case Algorithm::encrypted:
      made.key = derive_use_key(parent, KeyUse::enc_rand, made.ctx);
      made.nonce_key = derive_use_key(parent, KeyUse::enc_nonce, made.ctx);
      return made;
    case Algorithm::vault_row:
      made.key = derive_use_key(parent, KeyUse::vault_row, made.ctx);
      return made;
    default:
      return Error(ErrorKind::usage);
  }
}

}  // namespace paravent::crypto
