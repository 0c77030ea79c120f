// Committer: takes appends from any thread and makes them durable in groups.
//
// One of the waiting threads does the work for all, and two groups may be under way at once:
//
//   prepare   entries are sealed, hashed and put behind those of the group before; whatever arrives
//             meanwhile joins, until the journal is free
//   journal   the checkpoint is signed; one write, one sync: the group is durable, readers in this
//             process see it, the waiting are answered
//
// The log's own files follow the journal: at once where nobody else waits, so that a lone append
// has them written when it returns; under load every 2048 entries or tenth of a second, by a thread
// that begins with the journal. Where they cannot be written the appends that follow are refused
// until they can; it is tried again each second.
//
// Without a journal there is LogFolder::commit, whose every file is synced. A log begins so, and
// makes its journal when it has seen some commits: a command that leaves two entries needs none.
// What does not fit into a journal goes this way, too.
//
// What was prepared on top of a group that fails, fails with it; later ones work again. A failed
// sync ends the process. The destructor writes and syncs the log's files and removes the journal,
// or leaves it where they cannot be written. Thread safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/background_sync.h"
#include "crypto/audit/entry_sealer.h"
#include "crypto/audit/journal.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/log_reader.h"
#include "crypto/audit/signed_note.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {

// The log at one size.
struct LogState {
  std::shared_ptr<const Tail> tail;
  std::string checkpoint;
};

// As readers see it: with the full tiles that are not in its folder yet.
struct PublishedLog {
  LogState log;
  std::shared_ptr<const UnwrittenTiles> unwritten = std::make_shared<const UnwrittenTiles>();
};

class Committer {
 public:
  struct Parts {
    std::shared_ptr<Disk> disk;
    LogFolder folder;
    Ed25519Signer signer;
    NoteKey key;
    DetailKeys& keys;
    const Clock& clock;
    JournalPlace journal;
  };

  Committer(Parts parts, LogState log);
  // REQUIRES: no call is running.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // The index of the first; durable and published when it returns. REQUIRES: 1 to kMaxBatch
  // entries, whose details are within their limits.
  Result<std::uint64_t> append(std::span<const AuditEntry> entries);

  // Writes the log's own files up to what is published now, for whoever copies them.
  Status flush();

  PublishedLog published() const;
  std::uint64_t commits() const;
  const NoteKey& key() const noexcept { return parts_.key; }
  const Ed25519Signer& signer() const noexcept { return parts_.signer; }
  const std::string& path() const noexcept { return parts_.folder.path(); }
  DetailKeys& keys() const noexcept { return parts_.keys; }

 private:
  struct Waiter;
  struct Group;

  void lead(std::unique_lock<std::mutex>& lock);
  void prepare(Group& group, std::unique_lock<std::mutex>& lock);
  void seal(Group& group, Waiter& waiter);
  void close(Group& group);
  void hand_over();
  Status write(Group& group, std::unique_lock<std::mutex>& lock);
  Status write_journal(const Group& group, std::unique_lock<std::mutex>& lock);
  Status write_without(const Group& group, std::unique_lock<std::mutex>& lock);
  void begin_journal(const LogState& log);
  void remove_journal();
  void show(Group& group, bool in_folder);

  std::uint64_t unwritten_entries() const;
  bool may_write_at_once();
  void write_files_if_due(std::unique_lock<std::mutex>& lock);
  void write_files_in_time();
  Status write_files(std::unique_lock<std::mutex>& lock);
  Status write_all_files(std::unique_lock<std::mutex>& lock);

  Parts parts_;
  EntrySealer sealer_;  // used by whoever prepares
  BackgroundSync background_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  // Files that were just removed make new ones dear (ext4 looks at each inode that was freed in the
  // last minute), so only so many lone appends in a row write the files themselves.
  static constexpr double kAtOnceInARow = 20;

  std::deque<std::shared_ptr<Waiter>> queue_;
  std::size_t queued_entries_ = 0;
  bool has_leader_ = false;    // somebody prepares
  bool journal_busy_ = false;  // somebody is at the journal
  bool files_busy_ = false;    // somebody writes the log's files
  LogState prepared_;          // what the next group is put behind
  PublishedLog published_;
  std::uint64_t in_folder_;  // the size that the log's files have
  Status files_status_;      // of the last time that they were written
  Status last_failure_;      // of a group
  std::uint64_t commits_ = 0;
  bool ending_ = false;
  std::chrono::steady_clock::time_point files_written_at_;
  // Whole from the beginning: the thread, or a lone append, may be the first to write the files.
  double at_once_left_ = kAtOnceInARow;  // see may_write_at_once()
  std::thread writer_;                   // begins with the journal

  // Used at the journal only.
  std::optional<Journal> journal_;
  unsigned commits_without_ = 0;  // since there could have been one
  // Used by whoever has files_busy_.
  Unsynced left_;
};

}  // namespace paravent::crypto::audit
