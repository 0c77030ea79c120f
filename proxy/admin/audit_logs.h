// AuditLogs: the installation's log and one per tenant, opened from one data directory.
//
// Owns the logs and the adapters that fetch their detail keys from the vault, which must outlive
// it. The set only grows, when policies are loaded. Thread safe, as the logs themselves are.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::proxy::admin {

class AuditLogs {
 public:
  // `folder` is DATA/audit. ErrorKind::data: the log of a tenant is missing that has had entries,
  // or, with must_exist, the installation's: a log that was there once and was deleted must not
  // begin anew in silence.
  static crypto::Result<std::unique_ptr<AuditLogs>> open(const std::filesystem::path& folder,
                                                         crypto::vault::Vault& vault,
                                                         const crypto::Clock& clock,
                                                         crypto::audit::OpenMode mode);
  ~AuditLogs();
  AuditLogs(const AuditLogs&) = delete;
  AuditLogs& operator=(const AuditLogs&) = delete;

  // Makes the tenant's log where there has been none yet. An error: nobody gets the log before
  // another call has put it into the installation's.
  crypto::Status open_tenant(const crypto::vault::Id& tenant);

  // Each log that has ever had entries, whether a policy names its tenant or not: what is done
  // about a tenant goes on its own record, and is signed by its own log, to the last of its keys.
  crypto::Status open_with_history();

  // Puts into the installation's log how far each tenant's log has come, for those that have grown
  // since; what the verifier compares these with. Done at each opening of a tenant's log, at the
  // end, and every hour.
  crypto::Status record_checkpoints();

  crypto::audit::AuditLog& installation() { return *installation_->log; }
  // nullptr: no log of that tenant is open, or the installation's does not speak of it yet.
  crypto::audit::AuditLog* tenant(const crypto::vault::Id& tenant) const;
  // For what goes on record in any case: the tenant's, or the installation's where it is not open.
  crypto::audit::AuditLog& tenant_or_installation(const crypto::vault::Id& tenant) const;

  // Every open log by its id, the installation's first.
  std::vector<crypto::audit::AuditLog*> all() const;

 private:
  struct Entry;
  AuditLogs(std::filesystem::path folder, crypto::vault::Vault& vault, const crypto::Clock& clock)
      : folder_(std::move(folder)), vault_(vault), clock_(clock) {}
  crypto::Result<std::unique_ptr<Entry>> open_one(std::optional<crypto::vault::Id> tenant,
                                                  crypto::audit::OpenMode mode);

  std::filesystem::path folder_;
  crypto::vault::Vault& vault_;
  const crypto::Clock& clock_;
  std::unique_ptr<Entry> installation_;
  std::mutex recording_;      // one record at a time; taken before mutex_
  mutable std::mutex mutex_;  // guards tenants_ and what was announced; entries stay, once there
  std::map<crypto::vault::Id, std::unique_ptr<Entry>> tenants_;

  struct Entry {
    std::unique_ptr<crypto::audit::DetailKeys> keys;  // outlives the log below
    std::unique_ptr<crypto::audit::AuditLog> log;
    std::optional<std::uint64_t> recorded;  // its size in the last record; guarded by recording_
    bool announced = false;                 // the installation's log speaks of it
  };
};

}  // namespace paravent::proxy::admin
