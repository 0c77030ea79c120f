// What these tests share: a folder of keys with a key store of a known root key.

#pragma once

#include <memory>
#include <string_view>

#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/unseal/unseal_provider.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {

struct KeysFolder {
  TempDir temp;
  std::filesystem::path folder = temp.path();
  RootKey root = RootKey::ephemeral();
  RootCheck check{};

  KeysFolder() {
    const Id installation = random_id();
    if (!FileKeyStore::create(folder / kKeyStoreFile, installation, root)) std::abort();
    check = *read_root_check(folder);
  }
};

inline SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(text); }

inline bool opened(const Result<std::optional<RootKey>>& root, const RootKey& wanted) {
  return root && *root && equal_constant_time((**root).key().bytes(), wanted.key().bytes());
}

}  // namespace paravent::crypto::vault
