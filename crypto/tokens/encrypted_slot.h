// EncryptedSlot: encrypted values of one key (XAES-256-GCM over the frame, hedged nonce). One owner
// thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"

namespace paravent::crypto {

class EncryptedSlot {
 public:
  static Result<EncryptedSlot> create(const ProtectionKey& key);

  // REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  EncryptedSlot(std::string ad, Xaes256Gcm xaes, HedgedNonce nonce)
      : ad_(std::move(ad)), xaes_(std::move(xaes)), nonce_(std::move(nonce)) {}

  std::string ad_;  // header | ctx
  Xaes256Gcm xaes_;
  HedgedNonce nonce_;
};

}  // namespace paravent::crypto
