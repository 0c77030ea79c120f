// RecordKeeper: looks after the record while the gateway runs: one thread anchors checkpoints and
// puts those of the tenants' logs into the installation's log every hour, another carries alarms
// out, so that none waits for the network.
//
// ring() only enqueues. The logs must outlive it. Its destructor carries out what waits, then ends
// the threads.

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
#include "proxy/main/keepers/anchor.h"

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
  void run_turns();
  void run_alarms();
  void anchor(bool last);
  void carry_out(const admin::HoneyAlarm& alarm) const;

  config::RecordConfig config_;
  admin::AuditLogs& logs_;
  std::unique_ptr<Anchor> anchor_;
  bool anchor_failed_ = false;  // said so already
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::deque<admin::HoneyAlarm> alarms_;
  std::thread turns_;
  std::thread rings_;
};

}  // namespace paravent::proxy::main
