// SubjectJournal on the record: what the keeper of subject keys is about to do goes into the log of
// each tenant first, one entry per person and purpose, by reference; into the installation's where
// the tenant's is not open.

#pragma once

#include <span>
#include <vector>

#include "crypto/vault/engine/upkeep/subject_keeper.h"
#include "proxy/admin/audit_logs.h"

namespace paravent::proxy::main {

class AuditedSubjects final : public crypto::vault::SubjectJournal {
 public:
  // The logs must outlive it.
  explicit AuditedSubjects(admin::AuditLogs& logs) noexcept : logs_(logs) {}

  crypto::Status record(crypto::vault::KeyOperation operation,
                        std::span<const crypto::vault::DueSubject> subjects) override;

 private:
  admin::AuditLogs& logs_;
};

}  // namespace paravent::proxy::main
