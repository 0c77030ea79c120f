// BoundSealer: seals the copies of rows that belong to a data subject (bound_row.h), with the
// hedged nonce taken over everything that a copy is made of. Keeps one keyed context per key; owned
// by one thread. And the way back, in two steps: the outer layer tells the handle, the inner one
// the value.

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
#include "crypto/vault/engine/rows/bound_row.h"

namespace paravent::crypto::vault {

class BoundSealer {
 public:
  // Fills in copy.mark and copy.sealed. REQUIRES: key.algorithm is vault_row_subject with a nonce
  // key, key.key_id is copy.seal_key_id, and the value is not empty and at most kMaxVaultValue
  // long.
  Status seal(const BoundRow& row, const Id& id, BoundCopy& copy, const ProtectionKey& key,
              const SubjectSeal& subject, std::string_view value, const ScopeId& relationship);

 private:
  struct Cipher {
    Xaes256Gcm xaes;
    HedgedNonce nonce;
  };
  Result<Cipher*> cipher(const ProtectionKey& key);

  std::unordered_map<std::uint32_t, Cipher> ciphers_;
  RandomBuffer random_;
  std::string scratch_;  // ad | layer; wiped after each use
};

// What lies under the outer layer of an encrypted value or of a copy: the handle, and the value
// still closed.
struct SubjectLayer {
  SecretBytes bytes;
  std::string nonce;
  std::string ad;  // of the outer layer

  SubjectHandle handle() const;
  // The frame's bytes, clear, under the subject key. ErrorKind::malformed without a sentence.
  Result<SecretBytes> open(ByteView subject_key, std::string_view ctx) const;
};

// `sealed`: nonce | ciphertext | tag. ErrorKind::malformed without a sentence.
Result<SubjectLayer> open_outer_layer(const ProtectionKey& key, std::string ad,
                                      std::string_view sealed);

}  // namespace paravent::crypto::vault
