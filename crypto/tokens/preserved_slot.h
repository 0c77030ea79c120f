// PreservedSlot: format-preserving encryption of the digits of a value (FF1 over decimal digits,
// constructions 4.4). The text looks like the value and says neither that it is protected nor under
// which key, and has no integrity: it is opened only by whoever knows field and time. One owner
// thread.

#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/ff1.h"
#include "crypto/primitives/sha256.h"
#include "crypto/tokens/preserved_tweak.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"

namespace paravent::crypto {

class PreservedSlot {
 public:
  static Result<PreservedSlot> create(const ProtectionKey& key);

  // ErrorKind::malformed: no value of that form (preserved_form.h). REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  // The tweak of the last clear part that says nothing of its value but how it is written: fields
  // of one form share it, and hashing it costs a fifth of the whole. Other clear parts are not
  // kept.
  struct KeptTweak {
    std::array<char, 32> clear_part{};
    std::size_t size = 0;  // 0: none yet
    std::size_t clear_prefix = 0;
    PreservedTweak tweak{};
  };

  PreservedSlot(Ff1 cipher, const Sha256& prefix) : cipher_(std::move(cipher)), prefix_(prefix) {}

  PreservedTweak tweak_of(const PreservedForm& form, std::string_view clear_part) noexcept;

  Ff1 cipher_;
  Sha256 prefix_;  // what every tweak begins with, already hashed
  KeptTweak kept_;
};

}  // namespace paravent::crypto
