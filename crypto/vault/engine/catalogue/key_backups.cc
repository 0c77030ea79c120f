#include "crypto/vault/engine/catalogue/key_backups.h"

#include <algorithm>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/stored_time.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kFormat = 1;

}  // namespace

Bytes encode_key_backup(const KeyBackupEntry& entry) {
  std::string out;
  append_u8(out, kFormat);
  append_time(out, entry.made);
  append_time(out, entry.expires);
  const ByteView bytes = as_bytes(out);
  return {bytes.begin(), bytes.end()};
}

Result<KeyBackupEntry> decode_key_backup(const Id& id, ByteView bytes) {
  ByteReader in(bytes);
  const bool format = in.u8() == kFormat;
  KeyBackupEntry entry{id, time_in(in), time_in(in)};
  if (!format || !in.done() || entry.expires < entry.made) return Error(ErrorKind::malformed);
  return entry;
}

WallTime no_key_backup_after(const std::vector<KeyBackupEntry>& entries, WallTime time,
                             WallTime now) {
  WallTime last = time;
  for (const KeyBackupEntry& entry : entries) {
    if (entry.made <= time || entry.made > now) last = std::max(last, entry.expires);
  }
  return last;
}

}  // namespace paravent::crypto::vault
