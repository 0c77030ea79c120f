// BackupJob: backups of a running gateway, one at a time, on a thread of its own, into
// DATA/backups; and the figures of the store. The desk behind the admin API.
//
// The installation must outlive it. Destruction waits for the backup under way. Thread safe.

#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "crypto/base/clock.h"
#include "proxy/admin/store_desk.h"
#include "proxy/main/installation/backup_maker.h"

namespace paravent::proxy::main {

class BackupJob final : public admin::StoreDesk {
 public:
  BackupJob(Installation& installation, const crypto::Clock& clock)
      : installation_(installation), clock_(clock) {}
  ~BackupJob() override;
  BackupJob(const BackupJob&) = delete;
  BackupJob& operator=(const BackupJob&) = delete;

  std::string statistics() const override;
  crypto::Status begin_backup(crypto::vault::BackupKind kind, std::uint32_t days,
                              const admin::Operator& who) override;
  std::string backup_state() const override;

 private:
  void run(const crypto::vault::BackupInfo& info, const std::string& file);

  Installation& installation_;
  const crypto::Clock& clock_;
  mutable std::mutex mutex_;
  std::thread thread_;
  bool running_ = false;
  std::string state_ = R"({"state":"none"})";
};

}  // namespace paravent::proxy::main
