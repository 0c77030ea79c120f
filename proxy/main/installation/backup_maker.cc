#include "proxy/main/installation/backup_maker.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/audit/snapshot.h"
#include "crypto/vault/engine/backup/backup_archive.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/root_check.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/key_facts.h"
#include "crypto/vault/unseal/unseal_record.h"
#include "proxy/main/installation/context_file.h"
#include "proxy/main/installation/key_facts_file.h"
#include "proxy/main/installation/key_states.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
namespace vault = crypto::vault;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    all.push_back(it->path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Every finished regular file of a folder.
Status add_folder(vault::ArchiveWriter& archive, const fs::path& folder, const std::string& name) {
  for (const fs::path& path : entries_of(folder)) {
    std::error_code ignored;
    if (!fs::is_regular_file(fs::symlink_status(path, ignored)) || path.extension() == ".tmp") {
      continue;
    }
    if (auto s = archive.add_file(name + "/" + path.filename().string(), path); !s) return s;
  }
  return {};
}

// A log as it stands between two of its commits. The installation's first: what it says of the
// others has to hold for what is read of them afterwards.
Status add_audit_logs(vault::ArchiveWriter& archive, const fs::path& audit,
                      const admin::AuditLogs& logs) {
  std::vector<fs::path> folders = entries_of(audit);
  std::stable_partition(folders.begin(), folders.end(), [](const fs::path& folder) {
    return folder.filename() == crypto::audit::kInstallationLog;
  });
  for (const fs::path& folder : folders) {
    const std::string name = "audit/" + folder.filename().string() + "/";
    // What was acknowledged, and what the logs before say of this one, is in the files then.
    for (crypto::audit::AuditLog* log : logs.all()) {
      if (log->log_id() != folder.filename()) continue;
      if (auto s = log->flush(); !s) return s;
    }
    const auto snapshot = crypto::audit::Snapshot::take(folder.string());
    if (!snapshot) return snapshot.error();
    for (const std::string& file : snapshot->listing().files) {
      const auto bytes = snapshot->read(file);
      if (!bytes) return bytes.error();
      if (auto s = archive.add_file(name + file, *bytes); !s) return s;
    }
  }
  return {};
}

Status add_store(vault::ArchiveWriter& archive, vault::StoreSnapshot& snapshot) {
  vault::StoreRecord record;
  for (;;) {
    const auto more = snapshot.next(record);
    if (!more) return more.error();
    if (!*more) return {};
    if (auto s = archive.add_record(record); !s) return s;
  }
}

// With how many key backups there have been: counted after what is in a data backup was read, and
// with this one before the keys are, so that one of a higher number has all the keys.
vault::ArchiveFacts facts_of(const vault::KeysMoment& moment, std::size_t key_backups) {
  return {{"key-backups", std::to_string(key_backups)},
          {"keys-generation", std::to_string(moment.generation)},
          {"keys-renewals", std::to_string(moment.renewals)},
          {"version", PARAVENT_VERSION}};
}

Status add_data(Installation& installation, vault::ArchiveWriter& archive) {
  vault::Vault& vault = installation.vault();
  // First, so that everything its rows name is in what is read afterwards.
  const auto snapshot = vault.snapshot_store();
  if (!snapshot) return snapshot.error();
  // What is done to keys while the backup is being made may be missing from it, never more.
  const vault::KeyFacts facts = vault::KeyFactsReader(vault).read();
  const std::string states = key_states_text(vault::KeyAdmin(vault).list());
  const std::string contexts = context_file_text(vault.context_table());
  const std::size_t key_backups = vault.key_backups().size();
  if (auto s = archive.add_file(kContextsFile, crypto::as_bytes(contexts)); !s) return s;
  if (auto s = archive.add_file(kKeyStatesFile, crypto::as_bytes(states)); !s) return s;
  const std::string settled = key_facts_text(facts);
  if (auto s = archive.add_file(kKeyFactsFile, crypto::as_bytes(settled)); !s) return s;
  const auto& directory = installation.directory();
  if (auto s = add_folder(archive, directory.operators(), "operators"); !s) return s;
  if (auto s = add_audit_logs(archive, directory.audit(), installation.audit()); !s) return s;
  const fs::path sealed_list = directory.path() / telemetry::kSealedListFile;
  std::error_code ignored;
  if (fs::exists(sealed_list, ignored)) {
    if (auto s = archive.add_file(telemetry::kSealedListFile, sealed_list); !s) return s;
  }
  if (auto s = add_store(archive, **snapshot); !s) return s;
  return archive.finish(facts_of(facts.moment, key_backups));
}

Status add_keys(Installation& installation, const vault::BackupInfo& info,
                const vault::RootCheck& root, vault::ArchiveWriter& archive) {
  const fs::path keys = installation.directory().keys();
  vault::Vault& vault = installation.vault();
  // On record before it exists, and in itself.
  if (auto s = vault.note_key_backup({info.id, info.made, info.expires}); !s) return s;
  const std::size_t key_backups = vault.key_backups().size();
  return vault.while_keys_stand_still([&](const vault::KeysMoment& moment) -> Status {
    const auto now = vault::read_root_check(keys);
    if (!now) return now.error();
    if (now->value != root.value) {
      return Error(ErrorKind::busy, "The root key was changed meanwhile; make the backup again.");
    }
    if (auto s = add_folder(archive, keys, "keys"); !s) return s;
    return archive.finish(facts_of(moment, key_backups));
  });
}

}  // namespace

Result<vault::BackupInfo> record_backup(Installation& installation, const BackupWish& wish,
                                        const crypto::Clock& clock) {
  vault::BackupInfo info;
  info.kind = wish.kind;
  info.installation = installation.vault().installation_id();
  info.id = vault::random_id();
  info.made = clock.now();
  const bool keys = wish.kind == vault::BackupKind::keys;
  if (keys) info.expires = info.made + std::chrono::days(wish.days);
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::backup;
  entry.detail.operator_name = wish.operator_name;
  entry.detail.role = wish.role;
  entry.detail.credential = wish.credential;
  entry.detail.object = (keys ? "key backup " : "data backup ") + vault::id_hex(info.id);
  if (keys) entry.detail.remark = "expires after " + std::to_string(wish.days) + " days";
  auto receipt = installation.audit().installation().append(entry);
  if (!receipt) return receipt.error();
  return info;
}

Result<BackupMade> make_backup(Installation& installation, const vault::BackupInfo& info,
                               const fs::path& file) {
  const fs::path keys = installation.directory().keys();
  const auto root = vault::read_root_check(keys);
  if (!root) return root.error();
  const crypto::SecretBytes key = installation.vault().backup_key();
  vault::BackupInfo described = info;
  if (info.kind == vault::BackupKind::keys) {
    const auto record = vault::record_in_force(keys, *root);
    // A record of another root key is what a file's vault was unsealed by before.
    if (record && *record) described.unseal_record = vault::encode_unseal_record(**record);
  }
  auto writer = vault::BackupWriter::create(file, described, key.bytes());
  if (!writer) return writer.error();
  vault::ArchiveWriter archive(**writer);
  auto status = info.kind == vault::BackupKind::keys ? add_keys(installation, info, *root, archive)
                                                     : add_data(installation, archive);
  if (status) status = (*writer)->finish();
  if (!status) return status.error();
  return BackupMade{info, archive.records()};
}

}  // namespace paravent::proxy::main
