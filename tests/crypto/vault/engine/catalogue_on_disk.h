// A catalogue in a folder of its own: made, and opened as a new process would. What the tests of
// everything that hangs on it share.

#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/keys/file_key_store.h"

namespace paravent::crypto::vault {

inline constexpr Id kTestInstallation{7};
inline constexpr const char* kTestRootKey = "root.key";

// REQUIRES: an empty folder.
inline std::unique_ptr<Catalogue> make_catalogue(const std::filesystem::path& folder) {
  const RootKey root = RootKey::create(folder / kTestRootKey).value();
  auto store = FileKeyStore::create(folder / kKeyStoreFile, kTestInstallation, root).value();
  ShredSecret shred = ShredSecret::create(folder / kShredSecretFile, kTestInstallation).value();
  KeyTree tree(root, shred);
  return Catalogue::load(std::move(store), std::move(tree), std::move(shred),
                         ShredFiles(folder, kTestInstallation))
      .value();
}

// `root_key`: absolute, or in the folder. What a renewal left behind is settled; of the parts that
// hang on the tree the caller sees to it, by the number of catalogue->shred().
inline Result<std::unique_ptr<Catalogue>> open_catalogue(
    const std::filesystem::path& folder, const std::filesystem::path& root_key = kTestRootKey) {
  auto root = RootKey::read(folder / root_key);
  if (!root) return root.error();
  auto store = FileKeyStore::open(folder / kKeyStoreFile, *root);
  if (!store) return store.error();
  ShredFiles files(folder, kTestInstallation);
  auto shred = files.settle((*store)->shred_number());
  if (!shred) return shred.error();
  KeyTree tree(*root, *shred);
  return Catalogue::load(std::move(*store), std::move(tree), std::move(*shred), files);
}

}  // namespace paravent::crypto::vault
