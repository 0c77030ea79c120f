// Which key backups there are, and when each expires: a key backup brings back keys that were
// destroyed after it was made, so a destruction is final only when the last of them has expired.
//
// DATA/keys/key-backups (mode 0600), one line per backup, in the order in which they were made:
//   paravent-key-backups-v1
//   ID-HEX MADE EXPIRES            in ms since 1970 UTC
// A line is durable before the backup exists. Callers serialise.

#pragma once

#include <filesystem>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

struct KeyBackupEntry {
  Id id{};
  WallTime made;
  WallTime expires;
};

// Empty where there is no register yet. ErrorKind::data: altered or unreadable.
Result<std::vector<KeyBackupEntry>> read_key_backups(const std::filesystem::path& keys_folder);

// Durable. Fails as write_file_durably().
Status note_key_backup(const std::filesystem::path& keys_folder, const KeyBackupEntry& entry);

// From when on no key backup made up to `time` can be used: the latest expiry, or `time`.
WallTime no_key_backup_after(const std::vector<KeyBackupEntry>& entries, WallTime time);

}  // namespace paravent::crypto::vault
