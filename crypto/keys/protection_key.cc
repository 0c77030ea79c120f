#include "crypto/keys/protection_key.h"

#include <optional>

#include "crypto/keys/key_use.h"

namespace paravent::crypto {
namespace {

// The one use of an algorithm's key; nullopt where nothing is derived.
std::optional<KeyUse> use_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::derived:
      return KeyUse::enc_det;
    case Algorithm::pseudonym:
      return KeyUse::prf_pseudonym;
    case Algorithm::encrypted:
    case Algorithm::encrypted_subject:
      return KeyUse::enc_rand;
    case Algorithm::address:
      return KeyUse::ip_det;
    case Algorithm::address_prefix:
      return KeyUse::ip_pfx;
    case Algorithm::address_random:
      return KeyUse::ip_ndx;
    case Algorithm::format_preserving:
      return KeyUse::fpe_ff1;
    case Algorithm::vault_row:
    case Algorithm::vault_row_subject:
      return KeyUse::vault_row;
    case Algorithm::vault_token:
    case Algorithm::sealed:
    case Algorithm::sealed_single:
    case Algorithm::audit_detail:
    case Algorithm::map_cookie:
    case Algorithm::subject_reference:
      break;
  }
  return std::nullopt;
}

}  // namespace

Result<ProtectionKey> make_protection_key(const ContextRow& row, ByteView parent,
                                          ByteView public_key) {
  ProtectionKey made;
  made.key_id = row.key_id;
  made.algorithm = row.algorithm;
  made.ctx = context_string(row);
  if (row.algorithm == Algorithm::vault_token || row.algorithm == Algorithm::subject_reference) {
    return made;
  }
  if (row.algorithm == Algorithm::sealed || row.algorithm == Algorithm::sealed_single) {
    if (public_key.size() != kRecipientKeySize) return Error(ErrorKind::usage);
    made.public_key.assign(public_key.begin(), public_key.end());
    return made;
  }
  const auto use = use_of(row.algorithm);
  if (!use || parent.size() != kParentKeySize) return Error(ErrorKind::usage);
  made.key = derive_use_key(parent, *use, made.ctx);
  if (row.algorithm == Algorithm::encrypted || row.algorithm == Algorithm::encrypted_subject) {
    made.nonce_key = derive_use_key(parent, KeyUse::enc_nonce, made.ctx);
  }
  return made;
}

}  // namespace paravent::crypto
