// ProgressLine: how far a long command is, on one line of standard error, for people: nothing is
// written where standard error is no terminal. Ends with the line gone. Used by one thread.

#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace paravent::proxy::main {

class ProgressLine {
 public:
  ProgressLine() : shown_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() {
    if (written_) std::fputs("\r\033[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Ten times a second at most.
  void say(const std::string& text) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || (written_ && now < next_)) return;
    next_ = now + std::chrono::milliseconds(100);
    written_ = true;
    std::fprintf(stderr, "\r%s\033[K", text.c_str());
    std::fflush(stderr);
  }

 private:
  bool shown_;
  bool written_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace paravent::proxy::main
