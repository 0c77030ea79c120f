// WaitingLine: at a terminal, what a command waits for that comes in one piece and cannot be
// counted, and for how long it has. Ends with the line gone. A thread of its own writes, and nobody
// else may write to standard error meanwhile.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "proxy/main/commands/progress_line.h"

namespace paravent::proxy::main {

class WaitingLine {
 public:
  explicit WaitingLine(std::string what)
      : thread_([this, what = std::move(what)] { write(what); }) {}
  ~WaitingLine() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

 private:
  void write(const std::string& what) {
    ProgressLine line;
    std::unique_lock lock(mutex_);
    // Once in any case: what is quick may be over before this thread has begun.
    for (std::size_t seconds = 0;; ++seconds) {
      line.say(what + ": " + std::to_string(seconds) + " s");
      if (changed_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace paravent::proxy::main
