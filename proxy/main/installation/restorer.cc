#include "proxy/main/installation/restorer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/audit/verifier.h"
#include "crypto/vault/engine/backup/backup_archive.h"
#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/keys/root_key.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/upkeep/key_facts.h"
#include "crypto/vault/engine/upkeep/row_keeper.h"
#include "crypto/vault/unseal/file_provider.h"
#include "crypto/vault/unseal/unseal_record.h"
#include "proxy/main/installation/context_file.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/key_facts_file.h"
#include "proxy/main/installation/key_states.h"
#include "proxy/main/installation/restore_cost.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
namespace vault = crypto::vault;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::size_t kRecordsPerWrite = 4096;

// Unpacks below a folder what a backup of this kind may hold, and nothing else.
class Unpacking final : public vault::ArchiveVisitor {
 public:
  // store: nullptr where there must be no records.
  Unpacking(fs::path folder, std::set<std::string> tops, vault::TokenStore* store,
            const std::function<void(const std::string&)>& progress = {})
      : folder_(std::move(folder)), tops_(std::move(tops)), store_(store), progress_(progress) {}
  Unpacking(const Unpacking&) = delete;
  Unpacking& operator=(const Unpacking&) = delete;
  ~Unpacking() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Status begin_file(const std::string& path, std::uint64_t /*size*/) override {
    if (!tops_.contains(path.substr(0, path.find('/')))) return Error(ErrorKind::malformed);
    path_ = folder_ / path;
    if (auto s = vault::make_folders_durably(path_.parent_path()); !s) return s;
    std::error_code error;
    for (fs::path at = path_.parent_path(); at != folder_ && !error; at = at.parent_path()) {
      fs::permissions(at, fs::perms::owner_all, error);
    }
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return error || descriptor_ < 0 ? cannot_write(errno) : Status();
  }

  Status file_bytes(crypto::ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot_write(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  Status end_file() override {
    if (::fsync(descriptor_) != 0) std::abort();
    ::close(std::exchange(descriptor_, -1));
    return vault::sync_folder(path_.parent_path());
  }

  Status record(const vault::StoreRecord& record) override {
    if (store_ == nullptr) return Error(ErrorKind::malformed);
    waiting_.push_back(record);
    return waiting_.size() < kRecordsPerWrite ? Status() : flush();
  }
  Status flush() {
    if (waiting_.empty()) return {};
    const Status status = store_->import(waiting_);
    records_ += waiting_.size();
    waiting_.clear();
    if (progress_) progress_(std::to_string(records_) + " records taken from the backup");
    return status;
  }

 private:
  Error cannot_write(int error) const {
    const bool full = error == ENOSPC || error == EDQUOT;
    return Error(full ? ErrorKind::disk_full : ErrorKind::data,
                 path_.string() + (full ? " cannot be written because the disk is full."
                                        : " cannot be written; check the folder."));
  }

  fs::path folder_;
  std::set<std::string> tops_;
  vault::TokenStore* store_;
  fs::path path_;
  int descriptor_ = -1;
  std::vector<vault::StoreRecord> waiting_;
  std::uint64_t records_ = 0;
  std::function<void(const std::string&)> progress_;
};

// What a reader makes of an archive that does not hold together.
Result<vault::ArchiveSummary> unpack(vault::BackupReader& reader, Unpacking& unpacking) {
  auto summary = vault::read_archive(reader, unpacking);
  if (summary) {
    if (auto s = unpacking.flush(); !s) return s.error();
  }
  if (!summary && summary.error().kind() == ErrorKind::malformed) return reader.damaged();
  return summary;
}

// nullopt: there is none, its root key is in a file.
Result<std::optional<vault::UnsealRecord>> record_of(const vault::BackupInfo& info,
                                                     const fs::path& file) {
  if (info.unseal_record.empty()) return std::optional<vault::UnsealRecord>();
  auto record = vault::parse_unseal_record(info.unseal_record);
  if (record) return std::optional(std::move(*record));
  return Error(ErrorKind::data, "The backup " + file.string() +
                                    " is truncated or altered; nothing was changed. Take another "
                                    "one.");
}

Status check_kind(const vault::BackupInfo& info, vault::BackupKind kind, const fs::path& file) {
  if (info.kind == kind) return {};
  return Error(ErrorKind::data,
               file.string() + (kind == vault::BackupKind::keys
                                    ? " is a data backup; --keys takes a key backup."
                                    : " is a key backup; name the data backup first."));
}

Status check_pair(const vault::BackupReader& data, const vault::BackupReader& keys,
                  const RestoreWish& wish, const crypto::Clock& clock) {
  if (auto s = check_kind(data.info(), vault::BackupKind::data, wish.data_backup); !s) return s;
  if (auto s = check_kind(keys.info(), vault::BackupKind::keys, wish.key_backup); !s) return s;
  if (data.info().installation != keys.info().installation) {
    return Error(ErrorKind::data,
                 "The two backups belong to different installations; nothing was changed.");
  }
  if (keys.info().can_expire() && clock.now() >= keys.info().expires) {
    return Error(ErrorKind::data, "The key backup " + wish.key_backup.string() +
                                      " has expired, because it would bring destroyed keys back; "
                                      "use a newer one.");
  }
  return {};
}

class Restoring {
 public:
  Restoring(const RestoreWish& wish, const crypto::Clock& clock)
      : wish_(wish), clock_(clock), folder_(wish.data) {
    folder_ += ".restoring";
  }

  Result<Restored> run() {
    auto root = root_key();
    if (!root) return root.error();
    root_.emplace(std::move(*root));
    const crypto::SecretBytes key = root_->backup_key();
    auto data = vault::BackupReader::open(wish_.data_backup, key.bytes());
    if (!data) return data.error();
    auto keys = vault::BackupReader::open(wish_.key_backup, key.bytes());
    if (!keys) return keys.error();
    if (auto s = check_pair(**data, **keys, wish_, clock_); !s) return s.error();
    if (auto s = check_target(); !s) return s.error();
    auto restored = fill(**data, **keys);
    std::error_code ignored;
    if (!restored) fs::remove_all(folder_, ignored);
    return restored;
  }

 private:
  Result<vault::RootKey> root_key() const {
    using config::UnsealWay;
    if (wish_.root.unseal.way == UnsealWay::key_file) {
      return vault::RootKey::read(wish_.root.key_file);
    }
    if (wish_.root.unseal.way == UnsealWay::systemd_credential) {
      const auto file = vault::FileProvider::systemd_credential(wish_.root.unseal.credential);
      if (!file) return file.error();
      return (*file)->obtain_new();
    }
    const auto info = vault::BackupReader::read_info(wish_.key_backup);
    if (!info) return info.error();
    if (auto s = check_kind(*info, vault::BackupKind::keys, wish_.key_backup); !s) return s.error();
    const auto record = record_of(*info, wish_.key_backup);
    if (!record) return record.error();
    if (!*record) {
      return Error(ErrorKind::data, "The root key of the key backup " + wish_.key_backup.string() +
                                        " is in a file; name it with --root-key.");
    }
    return root_by(**record, info->installation);
  }

  // A provider reads its record from a folder: one of its own, for as long as that takes.
  Result<vault::RootKey> root_by(const vault::UnsealRecord& record, const vault::Id& id) const {
    fs::path folder = wish_.data;
    folder += ".unsealing";
    std::error_code error;
    fs::remove_all(folder, error);  // left from a restore that was interrupted; it holds no secret
    if (::mkdir(folder.c_str(), 0700) != 0) {
      return Error(ErrorKind::data,
                   "The folder " + folder.string() + " cannot be made; check the folder above.");
    }
    auto root = [&]() -> Result<vault::RootKey> {
      if (auto s = vault::write_unseal_record(folder, vault::RecordPlace::current, record); !s) {
        return s.error();
      }
      auto provider = make_provider(wish_.root, folder);
      if (!provider) return provider.error();
      return open_root(**provider, {id, record.root_check}, wish_.root.secret,
                       Error(ErrorKind::sealed,
                             "The root key is in shares, and not enough of them were given."));
    }();
    fs::remove_all(folder, error);
    return root;
  }

  Status check_target() const {
    std::error_code error;
    if (fs::exists(wish_.data, error) && !fs::is_empty(wish_.data, error)) {
      return Error(ErrorKind::data, wish_.data.string() +
                                        " holds something already and is not overwritten; name a "
                                        "new folder with --data.");
    }
    if (fs::exists(folder_, error)) {
      return Error(ErrorKind::data, "The folder " + folder_.string() +
                                        " is left from a restore that was interrupted; remove it "
                                        "and try again.");
    }
    return {};
  }

  Result<Restored> fill(vault::BackupReader& data, vault::BackupReader& keys) {
    Restored out{data.info(), keys.info(), {}, {}, {}};
    {
      auto directory = vault::DataDirectory::create(folder_);
      if (!directory) return directory.error();
      auto store = vault::RocksdbTokenStore::create(directory->store(), data.info().installation);
      if (!store) return store.error();
      Unpacking key_files(folder_, {"keys"}, nullptr);
      const auto key_summary = unpack(keys, key_files);
      if (!key_summary) return key_summary.error();
      Unpacking data_files(folder_,
                           {kContextsFile, kKeyStatesFile, kKeyFactsFile,
                            telemetry::kSealedListFile, "operators", "audit"},
                           store->get(), wish_.progress);
      const auto data_summary = unpack(data, data_files);
      if (!data_summary) return data_summary.error();
      order_of(data.info(), *data_summary, keys.info(), *key_summary, out.cost);
    }
    if (auto s = settle(out); !s) return s.error();
    if (auto s = give_name(); !s) return s.error();
    return out;
  }

  // Opens what was unpacked, as a gateway would, and makes the index.
  Status settle(Restored& out) {
    InstallationPaths paths;
    paths.data = folder_;
    paths.root = wish_.root;
    auto installation = Installation::open_sealed(paths, clock_);
    if (!installation) return installation.error();
    if (auto s = (*installation)->unlock(std::move(*root_)); !s) return s;
    vault::Vault& vault = (*installation)->vault();
    RestoreCost& cost = out.cost;
    if (auto s = weigh(vault, folder_, clock_.now(), cost); !s) return s;
    if (auto s = check_accepted(cost, wish_.accepted); !s) return s;
    const auto say = [this](const std::string& text) {
      if (wish_.progress) wish_.progress(text);
    };
    // Of keys that were destroyed after the data backup was made, the rows are there again.
    if (auto s = vault::RowKeeper::want_purge(vault); !s) return s;
    auto report = vault.rebuild_index(
        [&](std::uint64_t rows) { say("index: " + std::to_string(rows) + " rows"); });
    if (!report) return report.error();
    out.rows = *report;
    count_rows(*report, cost);
    if (auto s = check_accepted(cost, wish_.accepted); !s) return s;
    crypto::audit::VerifyOptions verify;
    verify.progress = [&](const std::string& log, std::uint64_t done, std::uint64_t all) {
      say(log + ": " + std::to_string(done) + " of " + std::to_string(all) + " entries");
    };
    const auto audit = crypto::audit::verify_audit((folder_ / "audit").string(), verify);
    if (!audit) return audit.error();
    if (!audit->verified()) {
      return Error(ErrorKind::verification, "The audit log in the data backup does not verify: " +
                                                audit->first_fault().sentence());
    }
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::backup;
    entry.detail.object = "restored data backup " + vault::id_hex(out.data.id);
    entry.detail.remark = "with key backup " + vault::id_hex(out.keys.id);
    if (const std::string remark = cost_remark(cost); !remark.empty()) {
      entry.detail.remark += ", which " + remark;
    }
    if (auto receipt = (*installation)->audit().installation().append(entry); !receipt) {
      return receipt.error();
    }
    for (const vault::Id& subject : cost.facts.people) {
      const auto reference = vault::KeyFactsReader(vault).reference_of(subject);
      if (reference) out.people.push_back(*reference);
    }
    return remove_what_was_weighed(folder_);
  }

  Status give_name() const {
    if (::rename(folder_.c_str(), wish_.data.c_str()) != 0) {
      return Error(ErrorKind::data, folder_.string() + " cannot be renamed to " +
                                        wish_.data.string() + "; check the folder above.");
    }
    const fs::path parent = wish_.data.parent_path();
    return vault::sync_folder(parent.empty() ? "." : parent);
  }

  const RestoreWish& wish_;
  const crypto::Clock& clock_;
  fs::path folder_;
  std::optional<vault::RootKey> root_;
};

}  // namespace

Status settings_from_backup(const fs::path& key_backup, RootKeySettings& settings) {
  const auto info = vault::BackupReader::read_info(key_backup);
  if (!info) return info.error();
  if (auto s = check_kind(*info, vault::BackupKind::keys, key_backup); !s) return s;
  const auto record = record_of(*info, key_backup);
  if (!record) return record.error();
  if (!*record) return {};
  switch ((*record)->method()) {
    case vault::UnsealMethod::passphrase:
      settings.unseal.way = config::UnsealWay::passphrase;
      break;
    case vault::UnsealMethod::shares:
      settings.unseal.way = config::UnsealWay::shares;
      settings.unseal.shares = std::get<vault::ShareRecord>((*record)->body).threshold;
      break;
    default:
      settings.unseal.way = config::UnsealWay::pkcs11;
      break;
  }
  return {};
}

Result<Restored> restore(const RestoreWish& wish, const crypto::Clock& clock) {
  return Restoring(wish, clock).run();
}

}  // namespace paravent::proxy::main
