// DerivedSlot: derived tokens of one key (AES-256-SIV over the frame). One owner thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto {

class DerivedSlot {
 public:
  static Result<DerivedSlot> create(const ProtectionKey& key);

  // REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  DerivedSlot(const TokenHeader& header, AesSiv256 siv) : header_(header), siv_(std::move(siv)) {}

  TokenHeader header_;
  AesSiv256 siv_;
};

}  // namespace paravent::crypto
