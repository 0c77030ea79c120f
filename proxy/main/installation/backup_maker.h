// Making a backup of an opened installation, whether a gateway runs on it or not.
//
// A data backup holds, in this order: the context table (names and key ids, no key), the states
// of the keys and what was settled about them (key_states.h, key_facts_file.h), the operators'
// hashes, the audit logs, and every record of the token store as it stood when the backup began;
// never a key, the shred secret or the blind index. A key backup holds the keys folder and nothing
// else, and expires. What is inside: backup_archive.h; how it is encrypted: backup_file.h; for
// people: docs/backup.md.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/backup/backup_file.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {

inline constexpr std::uint32_t kKeyBackupDays = 30;

struct BackupMade {
  crypto::vault::BackupInfo info;
  std::uint64_t records = 0;
};

struct BackupWish {
  crypto::vault::BackupKind kind = crypto::vault::BackupKind::data;
  std::uint32_t days = kKeyBackupDays;  // of key backups
  std::string operator_name;            // for the record; empty: whoever holds the root key
  std::string role;
  std::string credential;
};

// Who wants what, durable in the installation's audit log; answers the backup that may be made now.
crypto::Result<crypto::vault::BackupInfo> record_backup(Installation& installation,
                                                        const BackupWish& wish,
                                                        const crypto::Clock& clock);

// Blocks until `file` is complete and durable. ErrorKind::data: it exists, or something cannot be
// read; disk_full: nothing is left of it.
crypto::Result<BackupMade> make_backup(Installation& installation,
                                       const crypto::vault::BackupInfo& info,
                                       const std::filesystem::path& file);

}  // namespace paravent::proxy::main
