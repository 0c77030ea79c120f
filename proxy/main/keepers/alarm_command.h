// AlarmCommand: runs the program that is told of alarms, and never waits for it without end. One
// that takes longer than it may, and what it started, is asked to end, then made to.
//
// run() on one thread; hurry() and is_over() on any.

#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace paravent::proxy::main {

class AlarmCommand {
 public:
  struct Patience {
    std::chrono::milliseconds each{std::chrono::seconds(60)};
    // All together, from hurry() on: keys and the lock of the data directory wait for it.
    std::chrono::milliseconds last{std::chrono::seconds(5)};
  };

  AlarmCommand(std::string program, Patience patience)
      : program_(std::move(program)), patience_(patience) {}
  AlarmCommand(const AlarmCommand&) = delete;
  AlarmCommand& operator=(const AlarmCommand&) = delete;

  // With this and a PATH in its environment, an empty standard input and no blocked signal. Returns
  // when it has ended; what went wrong is said on standard error.
  void run(const std::vector<std::string>& environment);

  // The gateway is sealed or ends.
  void hurry() { until_ = Clock::now() + patience_.last; }
  // Whether the time after hurry() is over.
  bool is_over() const { return Clock::now() >= until_.load(); }

 private:
  using Clock = std::chrono::steady_clock;

  // 0: it could not be started. It leads a process group of its own.
  pid_t start(const std::vector<std::string>& environment) const;
  bool ends_in_time(pid_t child) const;

  const std::string program_;
  const Patience patience_;
  std::atomic<Clock::time_point> until_{Clock::time_point::max()};
};

}  // namespace paravent::proxy::main
