#include "proxy/main/keepers/record_keeper.h"

#include <chrono>
#include <cstdio>
#include <tuple>
#include <utility>

namespace paravent::proxy::main {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::hours kRecordEvery{1};
// Of counted alarms: whoever signs for subjects can make any number of operators. Those that come
// behind are counted together.
constexpr std::size_t kMostSources = 1000;
constexpr std::string_view kOthers = "others";
// Until what could not be put on record is tried again.
constexpr std::chrono::seconds kRecordAgain{1};

}  // namespace

RecordKeeper::RecordKeeper(const config::RecordConfig& config, admin::AuditLogs& logs,
                           std::size_t most_waiting, AlarmCommand::Patience patience)
    : config_(config),
      logs_(logs),
      most_waiting_(most_waiting),
      command_(config.alarm_command, patience) {
  if (config.anchor.enabled()) anchor_ = std::make_unique<Anchor>(config.anchor, logs);
  turns_ = std::thread([this] { run_turns(); });
  rings_ = std::thread([this] { run_alarms(); });
  if (!config_.alarm_command.empty()) commands_ = std::thread([this] { run_commands(); });
}

RecordKeeper::~RecordKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  // Sealing waits here with the keys: for the disk, and for others no longer than it must.
  command_.hurry();
  if (anchor_) anchor_->hurry();
  wakes_.notify_all();
  rings_.join();
  {
    const std::scoped_lock lock(mutex_);
    all_recorded_ = true;
  }
  wakes_.notify_all();
  if (commands_.joinable()) commands_.join();
  turns_.join();
}

std::uint64_t RecordKeeper::anchor_failures() const { return anchor_ ? anchor_->failures() : 0; }

RecordKeeper::Source RecordKeeper::source_of(const admin::HoneyAlarm& alarm) {
  return {alarm.operator_name, alarm.role, alarm.asker_tenant, alarm.token.tenant};
}

void RecordKeeper::count(Line& line, Source source, std::uint64_t number) {
  if (line.counted.size() >= kMostSources && !line.counted.contains(source)) {
    source = {std::string(kOthers), {}, {}, {}};
  }
  line.counted[std::move(source)] += number;
}

void RecordKeeper::queue(Line& line, admin::HoneyAlarm alarm, std::size_t most) {
  if (line.alarms.size() < most) {
    line.alarms.push_back(std::move(alarm));
  } else {
    count(line, source_of(alarm), 1);
  }
}

void RecordKeeper::fold(Line& line) {
  for (const admin::HoneyAlarm& alarm : line.alarms) count(line, source_of(alarm), 1);
  line.alarms.clear();
}

void RecordKeeper::ring(const admin::HoneyAlarm& alarm) {
  {
    const std::scoped_lock lock(mutex_);
    queue(to_record_, alarm, most_waiting_);
  }
  wakes_.notify_all();
}

void RecordKeeper::run_alarms() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return stopping_ || !to_record_.empty(); });
    if (to_record_.empty()) return;
    const bool last = stopping_;
    Line line = std::exchange(to_record_, {});
    lock.unlock();
    const bool recorded = put_on_record(line);
    lock.lock();
    // At the end of the gateway once more, and no longer; standard error has them.
    const bool again = !recorded && !last;
    for (admin::HoneyAlarm& alarm : line.alarms) {
      if (again) count(to_record_, source_of(alarm), 1);
      // It is heard at once, whatever the record does.
      if (commands_.joinable()) queue(to_command_, std::move(alarm), most_waiting_);
    }
    for (const auto& [source, number] : line.counted) {
      if (again) count(to_record_, source, number);
      if (recorded && commands_.joinable()) count(to_command_, source, number);
    }
    wakes_.notify_all();
    if (again) wakes_.wait_for(lock, kRecordAgain, [this] { return stopping_; });
  }
}

void RecordKeeper::run_commands() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return all_recorded_ || !to_command_.empty(); });
    // At the end there is no time for each. Whoever asked and then seals is told of all the same.
    if (stopping_) fold(to_command_);
    if (to_command_.empty()) return;
    if (stopping_ && command_.is_over()) {
      leave_untold(std::exchange(to_command_.counted, {}));
      continue;
    }
    Source source;
    std::uint64_t number = 1;
    std::string note;
    if (!to_command_.alarms.empty()) {
      source = source_of(to_command_.alarms.front());
      note = std::move(to_command_.alarms.front().token.note);
      to_command_.alarms.pop_front();
    } else {
      const auto node = to_command_.counted.extract(to_command_.counted.begin());
      source = node.key();
      number = node.mapped();
    }
    lock.unlock();
    command_.run({"PARAVENT_ALARM=honey-token", "PARAVENT_COUNT=" + std::to_string(number),
                  "PARAVENT_OPERATOR=" + source.operator_name, "PARAVENT_ROLE=" + source.role,
                  "PARAVENT_TENANT=" + crypto::vault::id_hex(source.asker_tenant),
                  "PARAVENT_NOTE=" + note});
    lock.lock();
  }
}

void RecordKeeper::leave_untold(const std::map<Source, std::uint64_t>& counted) {
  std::uint64_t number = 0;
  for (const auto& [source, times] : counted) number += times;
  std::fprintf(stderr,
               "paravent: warning: the alarm command was not told of %llu alarms before the end; "
               "see the installation's audit log.\n",
               static_cast<unsigned long long>(number));
}

void RecordKeeper::run_turns() {
  using Clock = std::chrono::steady_clock;
  SteadyTime anchor_at = Clock::now();
  SteadyTime record_at = Clock::now() + kRecordEvery;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (Clock::now() >= record_at) {
      // What cannot be written now is written in an hour; reveals say themselves that they stop.
      std::ignore = logs_.record_checkpoints();
      record_at = Clock::now() + kRecordEvery;
    }
    if (anchor_ && Clock::now() >= anchor_at) {
      anchor(false);
      anchor_at = Clock::now() + std::chrono::seconds(config_.anchor.seconds);
    }
    lock.lock();
    const SteadyTime next = anchor_ ? std::min(anchor_at, record_at) : record_at;
    wakes_.wait_until(lock, next, [this] { return stopping_; });
  }
  lock.unlock();
  // The last word, too, is elsewhere.
  if (anchor_) anchor(true);
}

void RecordKeeper::anchor(bool last) {
  const auto status = last ? anchor_->finish() : anchor_->run_once();
  if (!status && !anchor_failed_) {
    std::fprintf(stderr, "paravent: warning: %s It is tried again.\n",
                 status.error().sentence().c_str());
  }
  anchor_failed_ = !status;
}

bool RecordKeeper::put_on_record(const Line& line) const {
  std::vector<crypto::audit::AuditEntry> entries;
  for (const admin::HoneyAlarm& alarm : line.alarms) {
    std::fprintf(stderr,
                 "paravent: ALARM: a honey token was asked for by operator %s (role %s, purpose "
                 "%.64s); see the installation's audit log.\n",
                 alarm.operator_name.c_str(), alarm.role.c_str(), alarm.purpose.c_str());
    crypto::audit::AuditEntry& entry = entries.emplace_back();
    entry.event = crypto::audit::EventKind::alarm;
    entry.detail.operator_name = alarm.operator_name;
    entry.detail.role = alarm.role;
    entry.detail.purpose = alarm.purpose;
    entry.detail.object = "honey token of tenant " + crypto::vault::id_hex(alarm.token.tenant);
    entry.detail.remark = alarm.token.route + " " + alarm.token.field + " " + alarm.token.note;
    if (entry.detail.remark.size() > crypto::audit::kMaxDetailField) {
      entry.detail.remark.resize(crypto::audit::kMaxDetailField);
    }
  }
  for (const auto& [source, number] : line.counted) {
    std::fprintf(stderr,
                 "paravent: ALARM: honey tokens were asked for %llu times more by operator %s "
                 "(role %s); see the installation's audit log.\n",
                 static_cast<unsigned long long>(number), source.operator_name.c_str(),
                 source.role.c_str());
    crypto::audit::AuditEntry& entry = entries.emplace_back();
    entry.event = crypto::audit::EventKind::alarm;
    entry.detail.operator_name = source.operator_name;
    entry.detail.role = source.role;
    entry.detail.object = "honey tokens";
    if (source.token_tenant != crypto::vault::kNoId) {
      entry.detail.object += " of tenant " + crypto::vault::id_hex(source.token_tenant);
    }
    entry.detail.remark = "more alarms: " + std::to_string(number);
  }
  if (logs_.installation().append_batch(entries)) return true;
  std::fputs("paravent: warning: alarms cannot be put on the record yet.\n", stderr);
  return false;
}

}  // namespace paravent::proxy::main
