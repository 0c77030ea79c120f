// RecordKeeper: looks after the record while the gateway runs: one thread anchors checkpoints and
// puts those of the tenants' logs into the installation's log every hour, another puts alarms on
// the record, and a third runs the alarm command, so that none waits for the network or a program.
//
// ring() only enqueues. However fast alarms come, each is on the record: of those that find the
// line full, and of those that could not be written, the number stays, by who asked for whose
// tokens, and goes into one entry as soon as it can be written. The command gets numbers likewise.
// The logs must outlive it. Its destructor puts on record what waits, then ends the threads. It
// waits for the command and for others a few seconds, not longer (AlarmCommand, Anchor): the
// command is told the numbers of what waits, as far as that goes.

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

#include "proxy/admin/audit_logs.h"
#include "proxy/admin/honey.h"
#include "proxy/config/record_config.h"
#include "proxy/main/keepers/alarm_command.h"
#include "proxy/main/keepers/anchor.h"

namespace paravent::proxy::main {

class RecordKeeper {
 public:
  // One by one up to here; what comes behind is counted.
  static constexpr std::size_t kMostWaiting = 1000;

  RecordKeeper(const config::RecordConfig& config, admin::AuditLogs& logs,
               std::size_t most_waiting = kMostWaiting, AlarmCommand::Patience patience = {});
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
  // Alarms that are told together: nothing but names is left of them.
  struct Source {
    std::string operator_name;
    std::string role;
    crypto::vault::Id asker_tenant{};
    crypto::vault::Id token_tenant{};
    auto operator<=>(const Source&) const = default;
  };
  // What waits for one of the threads.
  struct Line {
    std::deque<admin::HoneyAlarm> alarms;     // the first ones, whole
    std::map<Source, std::uint64_t> counted;  // how many came behind them
    bool empty() const { return alarms.empty() && counted.empty(); }
  };
  static Source source_of(const admin::HoneyAlarm& alarm);
  static void count(Line& line, Source source, std::uint64_t number);
  static void queue(Line& line, admin::HoneyAlarm alarm, std::size_t most);
  // Numbers of what was whole.
  static void fold(Line& line);
  static void leave_untold(const std::map<Source, std::uint64_t>& counted);
  // Of all in the line, in one durable step. False: nothing of it is on the record.
  bool put_on_record(const Line& line) const;
  void run_commands();

  config::RecordConfig config_;
  admin::AuditLogs& logs_;
  std::unique_ptr<Anchor> anchor_;
  bool anchor_failed_ = false;  // said so already
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  bool all_recorded_ = false;  // the alarms' thread has ended
  const std::size_t most_waiting_;
  AlarmCommand command_;  // runs on its thread, if there is a program
  Line to_record_;
  Line to_command_;
  std::thread turns_;
  std::thread rings_;
  std::thread commands_;
};

}  // namespace paravent::proxy::main
