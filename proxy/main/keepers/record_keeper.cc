#include "proxy/main/keepers/record_keeper.h"

#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <tuple>
#include <utility>

namespace paravent::proxy::main {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::hours kRecordEvery{1};
// More than these at once say nothing new.
constexpr std::size_t kMostAlarms = 1000;

// Runs the program with what happened in its environment, and waits for its end. Its standard input
// is empty, and it inherits no blocked signal.
void run_command(const std::string& command, const std::vector<std::string>& environment) {
  std::string name = command;
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::vector<std::string> texts = environment;
  texts.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, command.c_str(), &actions, &attributes, arguments.data(),
                                   pointers.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed == 0) ::waitpid(child, &status, 0);
  if (failed != 0 || status != 0) {
    std::fprintf(stderr, "paravent: warning: the alarm command %s failed.\n", command.c_str());
  }
}

}  // namespace

RecordKeeper::RecordKeeper(const config::RecordConfig& config, admin::AuditLogs& logs)
    : config_(config), logs_(logs) {
  if (config.anchor.enabled()) anchor_ = std::make_unique<Anchor>(config.anchor, logs);
  turns_ = std::thread([this] { run_turns(); });
  rings_ = std::thread([this] { run_alarms(); });
}

RecordKeeper::~RecordKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  rings_.join();
  turns_.join();
}

std::uint64_t RecordKeeper::anchor_failures() const { return anchor_ ? anchor_->failures() : 0; }

void RecordKeeper::ring(const admin::HoneyAlarm& alarm) {
  {
    const std::scoped_lock lock(mutex_);
    if (alarms_.size() == kMostAlarms) return;
    alarms_.push_back(alarm);
  }
  wakes_.notify_all();
}

void RecordKeeper::run_alarms() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return stopping_ || !alarms_.empty(); });
    if (alarms_.empty()) return;
    const admin::HoneyAlarm alarm = std::move(alarms_.front());
    alarms_.pop_front();
    lock.unlock();
    carry_out(alarm);
    lock.lock();
  }
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

void RecordKeeper::carry_out(const admin::HoneyAlarm& alarm) const {
  std::fprintf(stderr,
               "paravent: ALARM: a honey token was asked for by operator %s (role %s, purpose "
               "%.64s); see the installation's audit log.\n",
               alarm.operator_name.c_str(), alarm.role.c_str(), alarm.purpose.c_str());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::alarm;
  entry.detail.operator_name = alarm.operator_name;
  entry.detail.role = alarm.role;
  entry.detail.purpose = alarm.purpose;
  entry.detail.object = "honey token of tenant " + crypto::vault::id_hex(alarm.token.tenant);
  entry.detail.remark = alarm.token.route + " " + alarm.token.field + " " + alarm.token.note;
  if (entry.detail.remark.size() > crypto::audit::kMaxDetailField) {
    entry.detail.remark.resize(crypto::audit::kMaxDetailField);
  }
  if (!logs_.installation().append(entry)) {
    std::fputs("paravent: warning: the alarm cannot be put on the record.\n", stderr);
  }
  if (config_.alarm_command.empty()) return;
  run_command(config_.alarm_command,
              {"PARAVENT_ALARM=honey-token", "PARAVENT_OPERATOR=" + alarm.operator_name,
               "PARAVENT_ROLE=" + alarm.role,
               "PARAVENT_TENANT=" + crypto::vault::id_hex(alarm.asker_tenant),
               "PARAVENT_NOTE=" + alarm.token.note});
}

}  // namespace paravent::proxy::main
