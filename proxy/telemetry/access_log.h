// AccessLog: one line per finished exchange, without any value: time, request id, route, method,
// outcome, status, reason, sizes and durations. No address, no target, no header, no name from a
// client.
//
// append() copies into a bounded buffer under a short lock and never blocks on the disk: a
// background thread writes. When the buffer is full the line is dropped and counted: traffic never
// waits for a log. Thread safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/base/result.h"

namespace paravent::proxy::telemetry {

struct AccessLine {
  std::string_view request_id;
  std::string_view route;   // from the policy, or "-"
  std::string_view method;  // from the closed set of known methods, or "OTHER"
  std::string_view outcome;
  std::string_view reason;  // label of the refusal, or "-"
  std::uint16_t status = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  std::uint64_t duration_us = 0;
};

class AccessLog {
 public:
  // Appends to the file (mode 0640).
  static crypto::Result<std::unique_ptr<AccessLog>> open(const std::string& path);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Opens the file of that name anew, so that one that was moved aside (log rotation) gets no more
  // lines. Where it cannot be opened, everything goes on into the old one. Waits for the disk: not
  // for a thread of the data path.
  crypto::Status reopen();

  void append(const AccessLine& line);
  std::uint64_t dropped() const;

 private:
  AccessLog(std::string path, int file);
  void write_loop();

  const std::string path_;
  int file_;       // the writer's alone
  int next_ = -1;  // opened anew, for the writer to take
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string pending_;
  std::uint64_t dropped_ = 0;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace paravent::proxy::telemetry
