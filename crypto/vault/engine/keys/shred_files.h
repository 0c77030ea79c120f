// ShredFiles: the shred secret of one installation on disk, and its replacement (key_renewal.h,
// steps 1 and 5).
//
//   DATA/keys/shred-secret        in force
//   DATA/keys/shred-secret.next   there only while a destroy batch runs
//
// A secret is erased by overwriting it with random bytes, fsync, unlink, and fsync of the folder.
// Copy-on-write file systems, SSDs and snapshots may keep the old blocks all the same: see
// docs/vault.md. Not thread safe; the vault serialises.

#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.h"
#include "crypto/vault/engine/keys/shred_secret.h"

namespace paravent::crypto::vault {

inline constexpr const char* kShredSecretFile = "shred-secret";  // in DATA/keys

class ShredFiles {
 public:
  // In memory only: every step does nothing.
  ShredFiles() = default;
  ShredFiles(std::filesystem::path folder, const Id& installation)
      : folder_(std::move(folder)), installation_(installation) {}

  // The secret that the key store's number asks for; finishes or undoes a batch that was
  // interrupted. ErrorKind::data, one sentence each: as ShredSecret::read, or no secret here has
  // that number.
  Result<ShredSecret> settle(std::uint32_t number) const;

  // Step 1, and its undoing.
  Status stage(const ShredSecret& next) const;
  Status drop_staged() const;
  // Step 5. REQUIRES: staged, and the key store names it.
  Status adopt_staged() const;

 private:
  std::filesystem::path current() const { return folder_ / kShredSecretFile; }
  std::filesystem::path staged() const;

  std::filesystem::path folder_;  // empty: in memory
  Id installation_{};
};

}  // namespace paravent::crypto::vault
