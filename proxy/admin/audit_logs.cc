#include "proxy/admin/audit_logs.h"

#include <utility>

#include "crypto/base/encoding.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Result;
using crypto::Status;
using crypto::vault::Id;

// The audit room asks for keys by month; the vault keeps them by tenant and month.
class VaultDetailKeys final : public crypto::audit::DetailKeys {
 public:
  VaultDetailKeys(crypto::vault::Vault& vault, std::optional<Id> tenant)
      : vault_(vault), tenant_(tenant) {}
  Result<crypto::SecretBytes> detail_key(crypto::WallTime time) override {
    return vault_.audit_detail_key(tenant_, time);
  }

 private:
  crypto::vault::Vault& vault_;
  std::optional<Id> tenant_;
};

}  // namespace

Result<std::unique_ptr<AuditLogs>> AuditLogs::open(const std::filesystem::path& folder,
                                                   crypto::vault::Vault& vault,
                                                   const crypto::Clock& clock,
                                                   crypto::audit::OpenMode mode) {
  auto logs = std::unique_ptr<AuditLogs>(new AuditLogs(folder, vault, clock));
  auto entry = logs->open_one(std::nullopt, mode);
  if (!entry) return entry.error();
  logs->installation_ = std::move(*entry);
  return logs;
}

AuditLogs::~AuditLogs() = default;

Status AuditLogs::open_tenant(const Id& tenant) {
  const std::lock_guard lock(mutex_);
  if (tenants_.contains(tenant)) return {};
  auto entry = open_one(tenant, crypto::audit::OpenMode::create_if_missing);
  if (!entry) return entry.error();
  tenants_.emplace(tenant, std::move(*entry));
  return {};
}

crypto::audit::AuditLog* AuditLogs::tenant(const Id& tenant) {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second->log.get();
}

std::vector<crypto::audit::AuditLog*> AuditLogs::all() {
  const std::lock_guard lock(mutex_);
  std::vector<crypto::audit::AuditLog*> logs{installation_->log.get()};
  for (const auto& [id, entry] : tenants_) logs.push_back(entry->log.get());
  return logs;
}

Result<std::unique_ptr<AuditLogs::Entry>> AuditLogs::open_one(std::optional<Id> tenant,
                                                              crypto::audit::OpenMode mode) {
  auto seed = vault_.audit_signing_seed(tenant);
  if (!seed) return seed.error();
  const std::string log_id =
      tenant ? crypto::vault::id_hex(*tenant) : std::string(crypto::audit::kInstallationLog);
  auto entry = std::make_unique<Entry>();
  entry->keys = std::make_unique<VaultDetailKeys>(vault_, tenant);
  auto log = crypto::audit::AuditLog::open(
      (folder_ / log_id).string(),
      crypto::audit::audit_origin(crypto::vault::id_hex(vault_.installation_id()), log_id), *seed,
      *entry->keys, clock_, mode);
  if (!log) return log.error();
  entry->log = std::move(*log);
  return entry;
}

}  // namespace paravent::proxy::admin
