// RowJob: the thread in which a gateway works on its token rows (RowKeeper), with the audit log in
// front of it.
//
// Looks once at its start, so that an interrupted run goes on; whenever it is woken; and once an
// hour, for what keys were destroyed and what had to wait. The vault and the logs must outlive it;
// destruction ends a run between two pages. Thread safe.

#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/upkeep/row_keeper.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/row_desk.h"

namespace paravent::proxy::main {

class RowJob final : public admin::RowDesk {
 public:
  RowJob(crypto::vault::Vault& vault, admin::AuditLogs& logs);
  ~RowJob() override;
  RowJob(const RowJob&) = delete;
  RowJob& operator=(const RowJob&) = delete;

  void wake() override;
  std::string state() const override;

 private:
  void loop();
  bool stopping() const;
  // False: it failed, or may not begin because that cannot be put on record.
  bool run(const crypto::vault::RowWork& work);
  crypto::Status record(const std::string& remark);

  crypto::vault::Vault& vault_;
  admin::AuditLogs& logs_;
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  bool woken_ = false;
  bool running_ = false;
  bool failed_ = false;
  std::optional<crypto::vault::RowReport> last_;
  std::thread thread_;
};

}  // namespace paravent::proxy::main
