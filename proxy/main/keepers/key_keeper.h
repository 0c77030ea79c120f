// KeyKeeper: the thread in which the gateway ends keys on time (RetentionKeeper, SubjectKeeper),
// with the audit log as its journal.
//
// Also finishes what a destruction or a rotation could not erase (KeyAdmin::finish_erasure).
//
// Ticks once a minute, from the start on until it is destroyed; for people once an hour, when a
// freeze was confirmed, and while something of theirs failed. The vault and the logs must outlive
// it.

#pragma once

#include <chrono>
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
  static constexpr std::chrono::minutes kTick{1};

  // Called on the keeper's thread: `keys_changed` after a tick in which bindings became stale,
  // `ticked` after each, with whether what was due could not be done.
  KeyKeeper(crypto::vault::Vault& vault, admin::AuditLogs& logs, std::function<void()> keys_changed,
            std::function<void(bool failed)> ticked, std::chrono::milliseconds tick = kTick);
  ~KeyKeeper();
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;

 private:
  void run();
  // What an earlier destruction or rotation could not erase.
  crypto::Status finish_erasure();

  crypto::vault::Vault& vault_;
  admin::AuditLogs& logs_;
  std::function<void()> keys_changed_;
  std::function<void(bool failed)> ticked_;
  std::chrono::milliseconds tick_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace paravent::proxy::main
