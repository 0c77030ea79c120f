// Journal: one file through which a log's commits become durable with a single write and a single
// fdatasync; the log's own files follow without a sync of their own and are synced in the
// background.
//
//   file   = half | half                       of the same size, zeros at first
//   half   = base record, step record, ...     each at a multiple of 4096; the rest of it is old
//   record = "PVJ1" | u64be generation | u32be number in the half | u64be old size | u64be new size
//            | u32be length, checkpoint | u32be length, entries | u32be CRC-32C of all before
//
// The entries are framed as in a bundle. A base record begins at a full tile (old size a multiple
// of 256) and repeats what has come since; a step record continues the record before it. The
// generation grows by one with each half begun, so that nothing old is taken for new. What it says
// is believed only where a signed checkpoint of the log covers it (journal_replay.h); the CRC finds
// the torn end. The file has its size from the beginning: on a file system that overwrites in place
// (ext4, XFS) a full disk does not stop a step.
//
// Owned by one thread at a time. The disk must outlive it.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/audit/disk.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kJournalHalf = std::size_t{4} << 20U;
inline constexpr std::size_t kJournalAlignment = 4096;
inline constexpr std::size_t kMaxJournalSize = std::size_t{64} << 20U;

// From one size of the log to a later one. Borrowed.
struct JournalStep {
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;
  std::string_view checkpoint;  // signed, for new_size
  std::string_view entries;     // framed
};

class Journal {
 public:
  enum class Room : std::uint8_t { here, next_half, none };

  // Makes the file, durable with its folder, beginning at `base`. Replaces an older one.
  static Result<Journal> create(Disk& disk, const std::string& path, std::size_t half_bytes,
                                const JournalStep& base);

  // Where `step` fits; next_half: behind `base`, which is the log before the step.
  Room room(const JournalStep& step, const JournalStep& base) const noexcept;
  // Durable when it returns. On an error nothing was added. A failed sync ends the process.
  // REQUIRES: room() said so; for the next half, everything that the half before the current one
  // speaks of is durable in the log's own files.
  Status append(const JournalStep& step);
  Status append_in_next_half(const JournalStep& base, const JournalStep& step);
  // Begins anew at `base`. False: it does not fit or cannot be written, and the journal is to be
  // removed. REQUIRES: everything up to `base` is durable in the log's own files.
  bool restart(const JournalStep& base);
  // Removes the file for good. REQUIRES: as restart().
  void remove();

  // Counts the halves begun.
  std::uint64_t generation() const noexcept { return generation_; }

 private:
  Journal(Disk& disk, std::string path, std::size_t half_bytes)
      : disk_(&disk), path_(std::move(path)), half_bytes_(half_bytes) {}

  std::string folder() const { return path_.substr(0, path_.rfind('/')); }
  Status write_next_half(std::string bytes, std::uint32_t records);
  std::uint64_t half_start(std::uint64_t generation) const noexcept {
    return (generation % 2) * half_bytes_;
  }

  Disk* disk_;
  std::string path_;
  std::size_t half_bytes_;
  OpenFile file_;
  std::uint64_t generation_ = 0;
  std::uint32_t number_ = 0;  // of the next record
  std::size_t used_ = 0;      // of the current half
};

// Where the journal of the log in DATA/audit/ID lies: DATA/audit-journal/ID.
std::string journal_beside(const std::string& log_folder);

// What a journal holds: all entries from `from`, which is a multiple of 256, up to `size`.
struct JournalContent {
  std::uint64_t from = 0;
  std::uint64_t size = 0;
  std::string checkpoint;
  std::string entries;
};

// The bytes of its file. nullopt: none of its halves was ever begun.
std::optional<JournalContent> parse_journal(ByteView bytes);

// nullopt: there is no file, or none of its halves was ever begun. ErrorKind::data: it cannot be
// read.
Result<std::optional<JournalContent>> read_journal(const std::string& path);

}  // namespace paravent::crypto::audit
