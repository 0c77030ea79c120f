// SubjectSlot: encrypted values of one key that are bound to a data subject each (subject_layer.h),
// hedged nonce over handle and frame. One owner thread.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"

namespace paravent::crypto {

class SubjectSlot {
 public:
  static Result<SubjectSlot> create(const ProtectionKey& key);

  // REQUIRES: a value. ErrorKind::usage also when the form names no subject.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  SubjectSlot(std::string ad, std::string ctx, Xaes256Gcm xaes, HedgedNonce nonce)
      : ad_(std::move(ad)),
        ctx_(std::move(ctx)),
        xaes_(std::move(xaes)),
        nonce_(std::move(nonce)) {}

  std::string ad_;  // header | ctx
  std::string ctx_;
  Xaes256Gcm xaes_;
  HedgedNonce nonce_;
};

}  // namespace paravent::crypto
