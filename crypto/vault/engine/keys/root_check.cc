#include "crypto/vault/engine/keys/root_check.h"

#include "crypto/vault/engine/keys/file_key_store.h"

namespace paravent::crypto::vault {

bool RootCheck::fits(const RootKey& root) const {
  return equal_constant_time(root.check_value(installation), value);
}

Result<RootCheck> read_root_check(const std::filesystem::path& keys_folder) {
  const auto header = FileKeyStore::read_header(keys_folder / kKeyStoreFile);
  if (!header) return header.error();
  return RootCheck{header->installation, header->root_check};
}

}  // namespace paravent::crypto::vault
