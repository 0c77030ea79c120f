// KeyKeeper: the thread in which the gateway ends keys on time (RetentionKeeper, SubjectKeeper),
// with the audit log as its journal.
//
// Also finishes what a destruction or a rotation could not erase (KeyAdmin::finish_erasure).
//
// Ticks once a minute, for people once an hour, from the start on until it is destroyed. The vault
// and the logs must outlive it. failed() and the freeze are for metrics and alarms.

#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/audit_logs.h"

namespace paravent::proxy::main {

class KeyKeeper {
 public:
  // `keys_changed` is called on the keeper's thread after a tick in which bindings became stale.
  KeyKeeper(crypto::vault::Vault& vault, admin::AuditLogs& logs,
            std::function<void()> keys_changed);
  ~KeyKeeper();
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;

  // The last tick could not do what was due.
  bool failed() const noexcept { return failed_.load(); }

 private:
  void run();
  // What an earlier destruction or rotation could not erase.
  crypto::Status finish_erasure();

  crypto::vault::Vault& vault_;
  admin::AuditLogs& logs_;
  std::function<void()> keys_changed_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace paravent::proxy::main
