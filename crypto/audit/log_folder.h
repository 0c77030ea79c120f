// LogFolder: one log's folder on disk: its files, its two locks, and the one durable step by which
// it grows.
//
//   checkpoint       signed, for the size that counts
//   checkpoint.new   only while a commit is under way: the next checkpoint, already signed
//   public-key       the verifier key of the log, one line
//   tile/...         see tile_layout.h
//
// Locks (flock): the file public-key is held by the one writer for as long as it lives; the folder
// itself is held exclusively while a commit changes files, and shared by a verifier while it takes
// its snapshot. Movable, owned by one thread at a time.

#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/disk.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {

inline constexpr const char* kCheckpointFile = "checkpoint";
inline constexpr const char* kNextCheckpointFile = "checkpoint.new";
inline constexpr const char* kPublicKeyFile = "public-key";
// The most entries that one commit adds; what an interrupted commit can have left behind.
inline constexpr std::uint64_t kMaxCommitEntries = 16384;

// Holds a flock for as long as it lives.
class FolderLock {
 public:
  enum class Mode : std::uint8_t { shared, exclusive };
  // Waits. `folder` must outlive it.
  FolderLock(const OpenFile& folder, Mode mode) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_;
};

// Files and folders (relative to the log's) that stand under their names and may yet be lost.
struct Unsynced {
  struct File {
    std::string path;
    OpenFile file;
  };
  std::vector<File> files;
  std::set<std::string> folders;
};

// Ends the process where a sync fails. Any thread.
void sync_or_die(Disk& disk, const OpenFile& file, const std::string& path);
// Folders that are gone by now are left out. An Error: one cannot be opened.
Status sync_folders(Disk& disk, const std::string& log, const std::set<std::string>& folders);

class LogFolder {
 public:
  // Opens the folder, makes it and its parent where they do not exist and `make` says so, and
  // writes the key and the empty checkpoint into a folder that holds neither them nor tiles.
  // ErrorKind::data: the folder is missing, partly missing, or belongs to another key; busy:
  // another writer holds it.
  static Result<LogFolder> open(const std::string& path, Disk& disk, const std::string& public_key,
                                const std::string& empty_checkpoint, bool make);

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string file(const TileName& name) const { return file(tile_path(name)); }

  // Makes `files` and the new checkpoint durable together: the step from `old_size` entries to
  // `new_size`. Then removes the partial files that this replaces. On an error nothing has changed:
  // the old checkpoint and its files stand. A failed fsync ends the process.
  Status commit(std::span<const NewFile> files, const std::string& checkpoint,
                std::uint64_t old_size, std::uint64_t new_size);

  // The same step, but nothing is synced: a journal has it. `left` gets what is to be synced before
  // the journal may forget it; partial files and the checkpoint are not among it.
  Status apply(std::span<const NewFile> files, const std::string& checkpoint,
               std::uint64_t old_size, std::uint64_t new_size, Unsynced& left);
  // Syncs `left` and what a log of `size` entries needs beside it: its partial files, the
  // checkpoint and the folders of all. A failed sync ends the process; an Error: a file cannot be
  // opened.
  Status sync(const Unsynced& left, std::uint64_t size);
  // Brings the folder to what a journal says, whatever an interrupted process left: writes the
  // checkpoint and those of `files` that do not stand there already, syncs all, removes the rest.
  Status restore(std::span<const NewFile> files, const std::string& checkpoint, std::uint64_t size);

  // Removes what an interrupted commit left beside the log of `size` entries. ErrorKind::data: a
  // tile is missing, or more lies there than a commit can leave (`announced`: a journal says that
  // one was interrupted).
  Status remove_leftovers(std::uint64_t size, bool announced = false);

 private:
  struct Step;

  LogFolder(std::string path, Disk& disk, OpenFile folder)
      : path_(std::move(path)), disk_(&disk), folder_(std::move(folder)) {}

  Status take_step(std::span<const NewFile> files, const std::string& checkpoint,
                   std::uint64_t old_size, std::uint64_t new_size, Unsynced* left);
  Status write_step(Step& step, std::span<const NewFile> files, const std::string& checkpoint,
                    bool announce_first);
  Status sync_step(const Step& step);
  Status restore_files(Step& step, std::vector<std::string>& written,
                       std::span<const NewFile> files, const std::string& checkpoint);
  Status create_in(Step& step, const std::string& name, ByteView bytes);
  Status ensure_folders(Step& step, const std::string& name);
  Status initialise(const std::string& public_key, const std::string& empty_checkpoint);

  std::string path_;
  Disk* disk_;
  OpenFile folder_;
  OpenFile writer_lock_;
  std::set<std::string> durable_folders_;  // relative; known to exist and synced in their parents
};

// What lies below a folder, relative to it, sorted. Links and devices are in `strange`.
struct FolderListing {
  std::vector<std::string> files;
  std::vector<std::string> folders;
  std::vector<std::string> strange;
};

Result<FolderListing> list_folder(const std::string& path);

}  // namespace paravent::crypto::audit
