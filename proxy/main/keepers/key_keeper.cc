#include "proxy/main/keepers/key_keeper.h"

#include <utility>
#include <vector>

#include "crypto/vault/engine/upkeep/retention_keeper.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/main/keepers/subject_journal.h"

namespace paravent::proxy::main {
namespace {

using crypto::Status;
using crypto::vault::KeyInfo;
using crypto::vault::KeyOperation;

constexpr unsigned kTicksPerHour = 60;

class Journal final : public crypto::vault::KeeperJournal {
 public:
  explicit Journal(admin::AuditLogs& logs) : logs_(logs) {}

  Status record(KeyOperation operation, std::span<const KeyInfo> keys) override {
    for (const KeyInfo& key : keys) {
      auto entry = entry_of("key " + crypto::vault::id_hex(key.record.id),
                            std::string(crypto::vault::key_operation_name(operation)) + " " +
                                admin::key_description(key));
      auto receipt = logs_.tenant_or_installation(key.record.tenant).append(entry);
      if (!receipt) return receipt.error();
    }
    return {};
  }

  Status record_freeze(crypto::vault::Freeze) override {
    auto receipt = logs_.installation().append(
        entry_of("retention", "freeze: the wall clock jumped by more than a day"));
    if (!receipt) return receipt.error();
    return {};
  }

 private:
  static crypto::audit::AuditEntry entry_of(std::string object, std::string remark) {
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::key_operation;
    entry.detail.operator_name = "retention keeper";
    entry.detail.reason = "end of retention";
    entry.detail.object = std::move(object);
    entry.detail.remark = std::move(remark);
    return entry;
  }

  admin::AuditLogs& logs_;
};

}  // namespace

KeyKeeper::KeyKeeper(crypto::vault::Vault& vault, admin::AuditLogs& logs,
                     std::function<void()> keys_changed, std::function<void(bool)> ticked,
                     std::chrono::milliseconds tick)
    : vault_(vault),
      logs_(logs),
      keys_changed_(std::move(keys_changed)),
      ticked_(std::move(ticked)),
      tick_(tick),
      thread_([this] { run(); }) {}

KeyKeeper::~KeyKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

Status KeyKeeper::finish_erasure() {
  crypto::vault::KeyAdmin keys(vault_);
  if (!keys.erasure_is_due()) return {};
  if (auto s = keys.finish_erasure(); !s) return s;
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.operator_name = "retention keeper";
  entry.detail.reason = "an earlier attempt failed";
  entry.detail.object = "shred secret";
  entry.detail.remark =
      "the old one is erased, and rows of erased people: all that was destroyed is final";
  if (auto receipt = logs_.installation().append(entry); !receipt) return receipt.error();
  return {};
}

void KeyKeeper::run() {
  const crypto::SteadyClock monotonic;
  Journal journal(logs_);
  crypto::vault::RetentionKeeper keeper(vault_, monotonic, journal);
  const crypto::vault::KeyAdmin keys(vault_);
  AuditedSubjects subject_journal(logs_);
  crypto::vault::SubjectKeeper subjects(vault_, subject_journal);
  std::uint64_t changes = keys.changes();
  bool people_failed = false;
  bool was_frozen = false;
  for (unsigned tick = 0;; ++tick) {
    const bool kept = keeper.tick().has_value();
    const bool erased = finish_erasure().has_value();
    // Dates of people are days, and looking costs a walk over all of them. Whom a wrong clock had
    // disabled comes back when somebody has confirmed the right one.
    const bool frozen = keys.freeze_info().keeper.frozen();
    const bool looks = tick % kTicksPerHour == 0 || people_failed || (was_frozen && !frozen);
    if (looks) people_failed = !subjects.tick();
    was_frozen = frozen;
    ticked_(!kept || !erased || people_failed);
    if (const std::uint64_t now = keys.changes(); now != changes) {
      changes = now;
      keys_changed_();
    }
    std::unique_lock lock(mutex_);
    if (wakes_.wait_for(lock, tick_, [this] { return stopping_; })) return;
  }
}

}  // namespace paravent::proxy::main
