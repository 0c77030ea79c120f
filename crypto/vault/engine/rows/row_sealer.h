// RowSealer: seals and opens rows under vault.row keys, XAES-256-GCM (constructions 4.1 and 4.3),
// with the hedged nonce, taken over the whole row because a re-sealed row changes its AD and not
// its value. Keeps one keyed context per key; owned by one thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/protection_key.h"
#include "crypto/keys/scope.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/vault/engine/rows/token_row.h"

namespace paravent::crypto::vault {

// A normalised value of a vault token may have up to this many bytes: LP in the blind index.
inline constexpr std::size_t kMaxVaultValue = 65535;

class RowSealer {
 public:
  // The encoded row with `value` sealed in it, and `relationship` where row.in_relationship.
  // REQUIRES: key.algorithm is vault_row with a nonce key, key.key_id is row.seal_key_id, and
  // 1 <= value.size() <= kMaxVaultValue.
  Result<std::string> seal(const TokenRow& row, const Id& id, const ProtectionKey& key,
                           std::string_view value, const ScopeId& relationship = {});

 private:
  struct Cipher {
    Xaes256Gcm xaes;
    HedgedNonce nonce;
  };
  Result<Cipher*> cipher(const ProtectionKey& key);

  std::unordered_map<std::uint32_t, Cipher> ciphers_;
  RandomBuffer random_;
  std::string scratch_;  // id | clear part | frame; wiped after each use
};

// The value behind a row. ErrorKind::malformed without a sentence, whatever was altered.
Result<SecretBytes> open_row(const TokenRowView& view, const Id& id, const ProtectionKey& key);

// The same with all that a row's blind index is made of.
struct RowContent {
  SecretBytes value;
  ScopeId relationship{};  // all zero unless row.in_relationship
};
Result<RowContent> open_row_content(const TokenRowView& view, const Id& id,
                                    const ProtectionKey& key);

}  // namespace paravent::crypto::vault
