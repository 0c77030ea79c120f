// SealedSlot and SealedSingleSlot: values that only the holder of a private key opens
// (constructions 4.6). Nothing here, nor anywhere in the gateway, can read them back. One owner
// thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/tokens/content_key.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"

namespace paravent::crypto {

// Under the content key that all slots of one recipient share.
class SealedSlot {
 public:
  // `content_key` outlives the slot.
  static Result<SealedSlot> create(const ProtectionKey& key, ContentKey& content_key);

  // REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  SealedSlot(std::string ad, ContentKey& content_key)
      : ad_(std::move(ad)), content_key_(&content_key) {}

  std::string ad_;  // header | ctx
  ContentKey* content_key_;
};

// HPKE for each value: nothing shared, and about a hundred times the work.
class SealedSingleSlot {
 public:
  // ErrorKind::usage: no key that anything can be sealed to.
  static Result<SealedSingleSlot> create(const ProtectionKey& key);

  // REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out) const;

 private:
  SealedSingleSlot(std::string header, std::string info, Bytes public_key)
      : header_(std::move(header)), info_(std::move(info)), public_key_(std::move(public_key)) {}

  std::string header_;
  std::string info_;
  Bytes public_key_;
};

}  // namespace paravent::crypto
