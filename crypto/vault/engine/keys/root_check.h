// RootCheck: what the key store says of the root key that opens it, readable without that key. So a
// mistaken key gets its own sentence before anything is decrypted.

#pragma once

#include <filesystem>

#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/root_key.h"

namespace paravent::crypto::vault {

struct RootCheck {
  Id installation{};
  KeyCheckValue value{};

  bool fits(const RootKey& root) const;
};

// From the head of DATA/keys/keystore. ErrorKind::data, with the sentences of FileKeyStore::open:
// missing, readable by others, truncated or altered, of a newer version.
Result<RootCheck> read_root_check(const std::filesystem::path& keys_folder);

}  // namespace paravent::crypto::vault
