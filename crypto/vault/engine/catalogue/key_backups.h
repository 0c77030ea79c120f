// Which key backups there are, and when each expires: a key backup brings back keys that were
// destroyed after it was made, so a destruction is final only when the last of them has expired.
// They are records of the key store, so that nobody who can write files makes a certificate of
// destruction promise too much. Plain data and its stored form.
//
// Stored, big endian, one spelling:
//   backup   u8 1 | u64 made, ms | u64 expires, ms        id: the backup's own

#pragma once

#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

struct KeyBackupEntry {
  Id id{};
  WallTime made;
  WallTime expires;
  friend bool operator==(const KeyBackupEntry&, const KeyBackupEntry&) = default;
};

Bytes encode_key_backup(const KeyBackupEntry& entry);
// Strict; ErrorKind::malformed.
Result<KeyBackupEntry> decode_key_backup(const Id& id, ByteView bytes);

// From when on no key backup made up to `time` can be used: the latest expiry, or `time`. One that
// was made later than `now`, by a clock that ran ahead, counts: when it was nobody knows.
WallTime no_key_backup_after(const std::vector<KeyBackupEntry>& entries, WallTime time,
                             WallTime now);

}  // namespace paravent::crypto::vault
