// StoreDesk: what the admin API knows about the token store: its figures, and backups made beside
// the running gateway. Implemented where the whole installation is known (proxy/main). Thread safe.

#pragma once

#include <cstdint>
#include <string>

#include "crypto/base/result.h"
#include "crypto/vault/engine/backup/backup_file.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

class StoreDesk {
 public:
  virtual ~StoreDesk() = default;

  // A JSON object.
  virtual std::string statistics() const = 0;

  // Starts one; it is on the record before it exists. days: until a key backup expires; 0: the
  // default. ErrorKind::busy: one is being made already; whatever the audit log answers.
  virtual crypto::Status begin_backup(crypto::vault::BackupKind kind, std::uint32_t days,
                                      const Operator& who) = 0;
  // The latest one, as a JSON object: {"state":"none|running|done|failed", ...}.
  virtual std::string backup_state() const = 0;
};

}  // namespace paravent::proxy::admin
