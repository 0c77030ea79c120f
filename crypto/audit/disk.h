// Disk: the few file operations that an audit log is written with, so that tests can fill the disk,
// cut the power and fail an fsync at every step.
//
// Paths are absolute or relative to the working directory. Write failures are values: disk_full
// when nothing more fits, data otherwise. A failed fsync is the caller's end: the kernel may have
// dropped the pages, and no later success proves anything (PostgreSQL's fsyncgate; hardening.md 5).

#pragma once

#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto::audit {

// An open file or folder; closes it. Movable, one owner.
class OpenFile {
 public:
  OpenFile() noexcept = default;
  explicit OpenFile(int descriptor) noexcept : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  int descriptor() const noexcept { return descriptor_; }
  bool is_open() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// Thread safe: has no state of its own.
class Disk {
 public:
  virtual ~Disk() = default;

  // Whether writing a new file out begins at once, since it will be synced; or later, since it may
  // well be removed before.
  enum class WriteOut : std::uint8_t { now, later };

  // A new file with these bytes (mode 0600), which appears under its name only when it is complete.
  // An older file of that name is replaced. Not yet durable: sync the answer and the folder.
  virtual Result<OpenFile> create(const std::string& path, ByteView bytes,
                                  WriteOut write_out = WriteOut::now);
  // Mode 0700. No error where the folder exists.
  virtual Status make_folder(const std::string& path);
  // Replaces `to`.
  virtual Status rename(const std::string& from, const std::string& to);
  // Puts `from` under the name `to`, at once; what stood there may then be called `from`. Does not
  // wait for the disk, as replacing may.
  virtual Status exchange(const std::string& from, const std::string& to);
  // False: what was written may be lost.
  virtual bool sync(const OpenFile& file, const std::string& path);

  // Overwrites part of a file that is long enough already. Not yet durable: sync_data.
  virtual Status write_at(const OpenFile& file, const std::string& path, std::uint64_t offset,
                          ByteView bytes);
  // The same promise as sync() for a file whose size and name do not change: costs the disk less.
  virtual bool sync_data(const OpenFile& file, const std::string& path);

  // Best effort, never an error: what is left is recognised at the next opening.
  virtual void remove_file(const std::string& path);
  virtual void remove_folder(const std::string& path);
};

// What errno says about `path`, as an Error.
Error disk_error(const char* what, const std::string& path);

Result<OpenFile> open_folder(const std::string& path);

// The whole file. ErrorKind::data: missing, not a regular file (a link is not followed),
// unreadable, or longer than `limit`.
Result<Bytes> read_whole(const std::string& path, std::size_t limit);

}  // namespace paravent::crypto::audit
