#include "proxy/admin/audit_logs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/audit/journal_replay.h"
#include "crypto/audit/log_witness.h"
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

bool is_log_id(std::string_view name) {
  return name == crypto::audit::kInstallationLog ||
         (name.size() == 2 * sizeof(Id) &&
          name.find_first_not_of("0123456789abcdef") == std::string_view::npos);
}

// What a process that was killed had acknowledged, of every log, whether it will be opened or not:
// from here on the folders are all there is to know.
Status replay_journals(const std::filesystem::path& audit) {
  const std::filesystem::path any = crypto::audit::journal_beside((audit / "any").string());
  if (any.empty()) return {};
  std::error_code error;
  for (std::filesystem::directory_iterator at(any.parent_path(), error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_log_id(name)) continue;  // what an administrator or a file system left there
    const std::string log = (audit / name).string();
    if (auto s = crypto::audit::replay_left_journal(log, at->path().string()); !s) return s;
  }
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return crypto::Error(crypto::ErrorKind::data,
                       "The folder " + any.parent_path().string() + " cannot be read.");
}

}  // namespace

Result<std::unique_ptr<AuditLogs>> AuditLogs::open(const std::filesystem::path& folder,
                                                   crypto::vault::Vault& vault,
                                                   const crypto::Clock& clock,
                                                   crypto::audit::OpenMode mode) {
  auto logs = std::unique_ptr<AuditLogs>(new AuditLogs(folder, vault, clock));
  if (auto status = replay_journals(folder); !status) return status.error();
  auto entry = logs->open_one(std::nullopt, mode);
  if (!entry) return entry.error();
  logs->installation_ = std::move(*entry);
  // Also those that no policy names at the moment: a log that is gone is never gone unnoticed.
  for (const auto& [name, tenant] : vault.tenants()) {
    const std::filesystem::path log = folder / crypto::vault::id_hex(tenant);
    std::error_code error;
    if (vault.has_audit_history(tenant) && !std::filesystem::exists(log, error)) {
      return crypto::Error(crypto::ErrorKind::data,
                           "The audit log of tenant " + name + " in " + log.string() +
                               " is missing, though there was one; restore it from a backup.");
    }
  }
  return logs;
}

AuditLogs::~AuditLogs() = default;

Status AuditLogs::open_tenant(const Id& tenant) {
  {
    const std::lock_guard lock(mutex_);
    auto& known = tenants_[tenant];
    if (known != nullptr && known->announced) return {};
    if (known == nullptr) {
      auto entry = open_one(tenant, vault_.has_audit_history(tenant)
                                        ? crypto::audit::OpenMode::must_exist
                                        : crypto::audit::OpenMode::create_if_missing);
      if (!entry) {
        tenants_.erase(tenant);
        return entry.error();
      }
      known = std::move(*entry);
    }
  }
  // Before it takes its first entry: from now on it cannot go unnoticed. What fails is tried again
  // by the next caller, and by whoever comes at the same time.
  return record_checkpoints();
}

Status AuditLogs::open_with_history() {
  for (const auto& [name, tenant] : vault_.tenants()) {
    if (this->tenant(tenant) != nullptr || !vault_.has_audit_history(tenant)) continue;
    if (auto status = open_tenant(tenant); !status) return status;
  }
  return {};
}

Status AuditLogs::record_checkpoints() {
  const std::lock_guard one(recording_);
  std::vector<Entry*> grown;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : tenants_) {
      if (entry->recorded != entry->log->size()) grown.push_back(entry.get());
    }
  }
  // Without the lock: requests look their log up while this waits for the disk.
  std::vector<crypto::audit::AuditEntry> entries;
  std::vector<std::uint64_t> sizes;
  for (const Entry* entry : grown) {
    const auto checkpoint = entry->log->checkpoint_in_files();
    if (!checkpoint) return checkpoint.error();
    const auto parsed = crypto::audit::open_checkpoint(*checkpoint, entry->log->key());
    if (!parsed) return parsed.error();
    entries.push_back(crypto::audit::log_checkpoint_entry(entry->log->key(), *checkpoint));
    sizes.push_back(parsed->size);
  }
  if (const auto receipts = installation_->log->append_all(entries); !receipts) {
    return receipts.error();
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < grown.size(); ++i) {
    grown[i]->recorded = sizes[i];
    grown[i]->announced = true;
  }
  return {};
}

crypto::audit::AuditLog* AuditLogs::tenant(const Id& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() || !found->second->announced ? nullptr : found->second->log.get();
}

crypto::audit::AuditLog& AuditLogs::tenant_or_installation(const Id& id) const {
  crypto::audit::AuditLog* const log = tenant(id);
  return log != nullptr ? *log : *installation_->log;
}

std::vector<crypto::audit::AuditLog*> AuditLogs::all() const {
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
      *entry->keys, clock_, mode, {crypto::audit::journal_beside((folder_ / log_id).string())});
  if (!log) return log.error();
  entry->log = std::move(*log);
  return entry;
}

}  // namespace paravent::proxy::admin
