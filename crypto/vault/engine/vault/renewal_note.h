// RenewalNote: tells the token store of every renewal of the keys, so that keys which are older
// than the data are noticed when a vault is opened (Vault::open). Comes last of the parts.
//
// A note that cannot be written is made up for at the next opening.

#pragma once

#include <tuple>

#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

class RenewalNote final : public RenewalPart {
 public:
  explicit RenewalNote(TokenStore& store) noexcept : store_(store) {}

  Status prepare(const Renewal& /*renewal*/) override { return {}; }
  void finish(std::uint32_t number) override { std::ignore = store_.note_renewals(number); }
  void cancel() override {}

 private:
  TokenStore& store_;
};

}  // namespace paravent::crypto::vault
