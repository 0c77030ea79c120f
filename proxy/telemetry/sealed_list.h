// SealedList: what was sealed to somebody else's key because the vault was sealed, for conversion
// afterwards: one line a value, with time, request id, route, field and the sealed value itself,
// which only the holder of the private key opens. A file of its own, mode 0600.
//
//   2026-11-28T05:16:00Z REQUEST_ID ROUTE FIELD pvs_...        blanks in names become _
//
// keep() never blocks: a background thread writes what several requests left together, syncs once,
// and tells each of them (SealedNote::done). A request goes on only when its lines are on the disk:
// what was acknowledged is found again, whatever happens to the process. Where there is no room, or
// the disk takes nothing, the request must not go on: a value that nobody would find again is not
// let through. A failed fsync ends the process (hardening.md 5). A line may be there of a request
// that did not go on after all, never the other way about. Thread safe.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::telemetry {

// In DATA, and in a data backup.
inline constexpr const char* kSealedListFile = "when-sealed.list";

// The lines of one request and what became of them. Filled by its worker, then shared with the
// list's thread until `status` is no longer pending.
struct SealedNote {
  enum class Status : std::uint8_t { pending, kept, refused };

  // `field` and `route` are names of the policy.
  void add(std::string_view request_id, std::string_view route, std::string_view field,
           std::string_view value);

  std::string lines;
  std::uint64_t count = 0;
  std::atomic<Status> status = Status::pending;
  std::function<void()> done;  // called on the list's thread once `status` is set
};

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

  // False: no room; `done` is not called then. REQUIRES: the note has lines, and is pending.
  bool keep(std::shared_ptr<SealedNote> note);

  std::uint64_t count() const;  // lines in the file
  // The oldest lines, at most kMostBytes of them; whole ones.
  crypto::Result<std::string> read() const;
  // They are converted: the first `lines` go. ErrorKind::usage: there are not so many; disk_full,
  // data: nothing has changed.
  crypto::Status drop_first(std::uint64_t lines);

 private:
  SealedList(std::string path, int file, std::uint64_t count);
  void write_loop();
  void write(std::vector<std::shared_ptr<SealedNote>> notes);

  const std::string path_;
  mutable std::mutex file_mutex_;  // of file_ and the file's contents; taken before mutex_
  int file_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<SealedNote>> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t count_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace paravent::proxy::telemetry
