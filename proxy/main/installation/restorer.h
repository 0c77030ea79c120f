// Restoring an installation on a machine that has none: from a data backup and a key backup, under
// the root key, into a folder that does not exist yet. Where a pass-phrase, a token or shares make
// that key, they do so by the record that the key backup carries.
//
// Everything is unpacked beside the target, in NEWDIR.restoring, and checked there: both backups to
// their last chunk and against their manifests, that they belong together, every record of the
// store, that the key store opens and what it would undo and lose (restore_cost.h), the audit logs
// to the last byte. The blind index is made anew. Only then the folder gets its name, in one step.
// Whatever fails leaves nothing behind.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/backup/backup_file.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/main/installation/restore_cost.h"
#include "proxy/main/installation/root_key_source.h"

namespace paravent::proxy::main {

struct RestoreWish {
  std::filesystem::path data_backup;
  std::filesystem::path key_backup;
  std::filesystem::path data;
  RootKeySettings root;  // its secret: asked where people have to be
  // What it may cost where the keys are older than the data.
  CostAccepted accepted{};
  // Told now and then how far it is, once the root key is there; by the caller's thread.
  std::function<void(const std::string&)> progress{};
};

struct Restored {
  crypto::vault::BackupInfo data;
  crypto::vault::BackupInfo keys;
  crypto::vault::IndexReport rows;
  RestoreCost cost;  // what was undone and lost, because the wish said so, and what holds now
  // References of the people whose restriction or objection was lost, and who are known.
  std::vector<crypto::vault::SubjectReference> people;
};

// The way to unseal that a key backup's record names; a vault of a file where it has none. Of a
// token the record does not say which. ErrorKind::data: it is no key backup.
crypto::Status settings_from_backup(const std::filesystem::path& key_backup,
                                    RootKeySettings& settings);

// ErrorKind::data, one sentence each: a backup that is missing, truncated, altered, of a newer
// version, of another kind, of another installation or made with another root key; a key backup
// that has expired; one that costs more than the wish accepts (restore_cost.h); a target that
// holds something. disk_full.
crypto::Result<Restored> restore(const RestoreWish& wish, const crypto::Clock& clock);

}  // namespace paravent::proxy::main
