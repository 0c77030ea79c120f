// RecordKeeper: the thread that looks after the record while the gateway runs: it anchors
// checkpoints, puts those of the tenants' logs into the installation's log every hour, and carries
// alarms out.
//
// ring() only enqueues. The logs must outlive it. Its destructor carries out what waits, then ends
// the thread.

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "proxy/admin/audit_logs.h"
#include "proxy/admin/honey.h"
#include "proxy/config/record_config.h"
#include "proxy/main/anchor.h"

namespace paravent::proxy::main {

class RecordKeeper {
 public:
  RecordKeeper(const config::RecordConfig& config, admin::AuditLogs& logs);
  ~RecordKeeper();
  RecordKeeper(const RecordKeeper&) = delete;
  RecordKeeper& operator=(const RecordKeeper&) = delete;

  void ring(const admin::HoneyAlarm& alarm);

  // For metrics. 0 without an anchor.
  std::uint64_t anchor_failures() const;

 private:
  void run();
  void anchor();
  void carry_out(const admin::HoneyAlarm& alarm) const;

  config::RecordConfig config_;
  admin::AuditLogs& logs_;
  std::unique_ptr<Anchor> anchor_;
  bool anchor_failed_ = false;  // said so already
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::deque<admin::HoneyAlarm> alarms_;
  std::thread thread_;
};

}  // namespace paravent::proxy::main
