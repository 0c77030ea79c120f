// SealedList: what was sealed to somebody else's key because the vault was sealed, for conversion
// afterwards: one line a value, with time, request id, route, field and the sealed value itself,
// which only the holder of the private key opens. A file of its own, mode 0600.
//
//   2026-11-28T05:16:00Z REQUEST_ID ROUTE FIELD pvs_...        blanks in names become _
//
// note() copies into a bounded buffer and never blocks on the disk; a background thread writes and
// syncs. Where there is no room, or the disk takes nothing, it answers false and the request must
// not go on: a value that nobody would find again is not let through. A crash may cost the lines of
// the last moment; the values are still told by their key id. Thread safe.

#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/base/result.h"

namespace paravent::proxy::telemetry {

class SealedList {
 public:
  // What one answer or one request may hold of it.
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20U;

  // ErrorKind::data: the file cannot be opened or read.
  static crypto::Result<std::unique_ptr<SealedList>> open(const std::string& path);
  // Writes what waits.
  ~SealedList();
  SealedList(const SealedList&) = delete;
  SealedList& operator=(const SealedList&) = delete;

  // `field` and `route` are names of the policy. False: no room.
  bool note(std::string_view request_id, std::string_view route, std::string_view field,
            std::string_view value);

  std::uint64_t count() const;  // lines, with those that wait
  // The oldest lines, at most kMostBytes of them; whole ones.
  crypto::Result<std::string> read() const;
  // They are converted: the first `lines` go. ErrorKind::usage: there are not so many; disk_full,
  // data: nothing has changed.
  crypto::Status drop_first(std::uint64_t lines);

 private:
  SealedList(std::string path, int file, std::uint64_t count);
  void write_loop();

  const std::string path_;
  mutable std::mutex file_mutex_;  // of file_ and the file's contents; taken before mutex_
  int file_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string pending_;
  std::uint64_t count_;
  bool failing_ = false;  // the last write failed
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace paravent::proxy::telemetry
