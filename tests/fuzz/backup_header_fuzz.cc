// The head of a backup: what parses has a kind, times and sizes within bounds.

#include <cstdint>
#include <cstdlib>

#include "crypto/vault/engine/backup/backup_file.h"

namespace vault = paravent::crypto::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = vault::parse_backup_header(paravent::crypto::ByteView(data, size));
  if (!header || !header->is_readable()) return 0;
  const vault::BackupInfo& info = header->info;
  if (info.unseal_record.size() > vault::kMaxUnsealInBackup) std::abort();
  if (info.kind != vault::BackupKind::data && info.kind != vault::BackupKind::keys) std::abort();
  if (info.kind == vault::BackupKind::data && !info.unseal_record.empty()) std::abort();
  if (size != vault::kBackupHeaderSize + info.unseal_record.size()) std::abort();
  return 0;
}
