#include "crypto/audit/log_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

}  // namespace

FolderLock::FolderLock(const OpenFile& folder, Mode mode) noexcept
    : descriptor_(folder.descriptor()) {
  while (::flock(descriptor_, mode == Mode::shared ? LOCK_SH : LOCK_EX) != 0 && errno == EINTR) {
  }
}

FolderLock::~FolderLock() { ::flock(descriptor_, LOCK_UN); }

void sync_or_die(Disk& disk, const OpenFile& file, const std::string& path) {
  if (!disk.sync(file, path)) std::abort();
}

Status sync_folders(Disk& disk, const std::string& log, const std::set<std::string>& folders) {
  for (const std::string& name : folders) {
    const std::string path = name.empty() ? log : log + "/" + name;
    const Result<OpenFile> folder = open_folder(path);
    if (!folder && exists(path)) return folder.error();
    if (folder) sync_or_die(disk, *folder, path);
  }
  return {};
}

// What one commit has made so far, to be undone or synced.
struct LogFolder::Step {
  std::vector<Unsynced::File> made;
  Disk::WriteOut write_out = Disk::WriteOut::now;
  std::set<std::string> changed_folders;  // relative
  std::set<std::string> made_folders;     // relative
};

Result<LogFolder> LogFolder::open(const std::string& path, Disk& disk,
                                  const std::string& public_key,
                                  const std::string& empty_checkpoint, bool make) {
  if (make) {
    const std::string parent = parent_of(path);
    if (!parent.empty()) {
      if (Status made = disk.make_folder(parent); !made) return made.error();
    }
    if (Status made = disk.make_folder(path); !made) return made.error();
  }
  Result<OpenFile> opened = open_folder(path);
  if (!opened) return opened.error();
  LogFolder folder(path, disk, std::move(*opened));
  const FolderLock lock(folder.folder_, FolderLock::Mode::exclusive);
  const bool has_key = exists(folder.file(kPublicKeyFile));
  if (!exists(folder.file(kCheckpointFile))) {
    if (!make || exists(folder.file("tile"))) {
      return Error(ErrorKind::data, "The audit log " + path +
                                        " has no checkpoint. Restore the folder from a backup.");
    }
    if (Status done = folder.initialise(public_key, empty_checkpoint); !done) return done.error();
  } else if (!has_key) {
    return Error(ErrorKind::data, "The audit log " + path + " has lost its public key file.");
  }
  const Result<Bytes> key = read_whole(folder.file(kPublicKeyFile), kMaxEntrySize);
  if (!key) return key.error();
  if (as_text(*key) != public_key) {
    return Error(ErrorKind::data, "The audit log " + path + " belongs to another key.");
  }
  folder.writer_lock_ = OpenFile(::open(folder.file(kPublicKeyFile).c_str(), O_RDONLY | O_CLOEXEC));
  if (!folder.writer_lock_.is_open()) return disk_error("open", folder.file(kPublicKeyFile));
  if (::flock(folder.writer_lock_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorKind::busy, "Another process writes the audit log " + path + ".");
  }
  return folder;
}

Status LogFolder::initialise(const std::string& public_key, const std::string& empty_checkpoint) {
  for (const auto& [name, bytes] :
       {std::pair{kPublicKeyFile, &public_key}, std::pair{kCheckpointFile, &empty_checkpoint}}) {
    Result<OpenFile> made = disk_->create(file(name), as_bytes(*bytes));
    if (!made) return made.error();
    sync_or_die(*disk_, *made, file(name));
    sync_or_die(*disk_, folder_, path_);
  }
  const std::string parent = parent_of(path_);
  Result<OpenFile> opened = open_folder(parent.empty() ? "." : parent);
  if (!opened) return opened.error();
  sync_or_die(*disk_, *opened, parent);
  return {};
}

Status LogFolder::commit(std::span<const NewFile> files, const std::string& checkpoint,
                         std::uint64_t old_size, std::uint64_t new_size) {
  return take_step(files, checkpoint, old_size, new_size, nullptr);
}

Status LogFolder::apply(std::span<const NewFile> files, const std::string& checkpoint,
                        std::uint64_t old_size, std::uint64_t new_size, Unsynced& left) {
  return take_step(files, checkpoint, old_size, new_size, &left);
}

Status LogFolder::take_step(std::span<const NewFile> files, const std::string& checkpoint,
                            std::uint64_t old_size, std::uint64_t new_size, Unsynced* left) {
  const FolderLock lock(folder_, FolderLock::Mode::exclusive);
  Step step;
  if (left) step.write_out = Disk::WriteOut::later;
  Status done = write_step(step, files, checkpoint, !left && old_size % kTileWidth == 0);
  if (done && !left) done = sync_step(step);
  if (done && !left) done = disk_->rename(file(kNextCheckpointFile), file(kCheckpointFile));
  if (done && left) done = disk_->exchange(file(kNextCheckpointFile), file(kCheckpointFile));
  if (!done) {
    for (auto made = step.made.rbegin(); made != step.made.rend(); ++made) {
      disk_->remove_file(made->path);
    }
    for (auto made = step.made_folders.rbegin(); made != step.made_folders.rend(); ++made) {
      disk_->remove_folder(file(*made));
    }
    return done;
  }
  if (left) {
    for (std::size_t i = 0; i < files.size(); ++i) {  // behind the checkpoint, in this order
      if (files[i].name.full()) left->files.push_back(std::move(step.made[i + 1]));
    }
    left->folders.merge(step.changed_folders);
    disk_->remove_file(file(kNextCheckpointFile));
  } else {
    sync_or_die(*disk_, folder_, path_);
  }
  durable_folders_.merge(step.made_folders);
  std::set<std::string> kept;
  for (const TileName& name : partials_of(new_size)) kept.insert(partial_folder(name));
  for (const TileName& name : superseded_partials(old_size, new_size)) {
    disk_->remove_file(file(name));
    const std::string folder = partial_folder(name);
    if (kept.contains(folder)) continue;  // a wider partial lies in it
    disk_->remove_folder(file(folder));
    durable_folders_.erase(folder);
  }
  return {};
}

// The next checkpoint comes first: what an interrupted commit leaves behind is then announced by a
// signature, and a checkpoint that was put back is told from it. Where old partial files remain
// they tell the same, so only between full tiles must the announcement be durable before the rest
// is written.
Status LogFolder::write_step(Step& step, std::span<const NewFile> files,
                             const std::string& checkpoint, bool announce_first) {
  if (Status made = create_in(step, kNextCheckpointFile, as_bytes(checkpoint)); !made) return made;
  if (announce_first) {
    sync_or_die(*disk_, step.made.back().file, step.made.back().path);
    sync_or_die(*disk_, folder_, path_);
  }
  for (const NewFile& file : files) {
    const std::string name = tile_path(file.name);
    if (Status made = ensure_folders(step, name); !made) return made;
    if (Status made = create_in(step, name, as_bytes(file.bytes)); !made) return made;
  }
  return {};
}

// The log's own folder is synced after the rename.
Status LogFolder::sync_step(const Step& step) {
  for (const Unsynced::File& made : step.made) sync_or_die(*disk_, made.file, made.path);
  for (const std::string& name : step.changed_folders) {
    if (name.empty()) continue;
    const Result<OpenFile> folder = open_folder(file(name));
    if (!folder) return folder.error();
    sync_or_die(*disk_, *folder, file(name));
  }
  return {};
}

Status LogFolder::sync(const Unsynced& left, std::uint64_t size) {
  for (const Unsynced::File& one : left.files) sync_or_die(*disk_, one.file, one.path);
  std::set<std::string> folders = left.folders;
  std::vector<std::string> names{kCheckpointFile};
  for (const TileName& name : partials_of(size)) names.push_back(tile_path(name));
  for (const std::string& name : names) {
    const OpenFile opened(::open(file(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open()) return disk_error("open", file(name));
    sync_or_die(*disk_, opened, file(name));
    folders.insert(parent_of(name));
  }
  return sync_folders(*disk_, path_, folders);
}

// As a commit does, the checkpoint comes first, so that what an interruption leaves is announced.
Status LogFolder::restore(std::span<const NewFile> files, const std::string& checkpoint,
                          std::uint64_t size) {
  {
    const FolderLock lock(folder_, FolderLock::Mode::exclusive);
    Step step;
    std::vector<std::string> written;
    const Status done = restore_files(step, written, files, checkpoint);
    if (!done) {
      // The announcement stays: it also covers what an interrupted commit had left.
      for (auto name = written.rbegin(); name != written.rend(); ++name) {
        if (*name != kNextCheckpointFile) disk_->remove_file(file(*name));
      }
      return done;
    }
    sync_or_die(*disk_, folder_, path_);
    durable_folders_.merge(step.made_folders);
  }
  return remove_leftovers(size, true);
}

Status LogFolder::restore_files(Step& step, std::vector<std::string>& written,
                                std::span<const NewFile> files, const std::string& checkpoint) {
  const auto stands = [&](const std::string& name, std::string_view bytes) {
    const Result<Bytes> there = read_whole(file(name), bytes.size());
    return there && as_text(*there) == bytes;
  };
  const auto write = [&](const std::string& name, std::string_view bytes) -> Status {
    Status made = create_in(step, name, as_bytes(bytes));
    if (made) written.push_back(name);
    return made;
  };
  const auto keep = [&](const std::string& name) -> Status {
    OpenFile opened(::open(file(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open()) return disk_error("open", file(name));
    step.made.push_back({file(name), std::move(opened)});
    step.changed_folders.insert(parent_of(name));
    return {};
  };
  const bool newer = !stands(kCheckpointFile, checkpoint);
  Status done = newer ? write(kNextCheckpointFile, checkpoint) : keep(kCheckpointFile);
  if (!done) return done;
  if (newer) {
    sync_or_die(*disk_, step.made.back().file, step.made.back().path);
    sync_or_die(*disk_, folder_, path_);
  }
  for (const NewFile& one : files) {
    const std::string name = tile_path(one.name);
    done = ensure_folders(step, name);
    if (done) done = stands(name, one.bytes) ? keep(name) : write(name, one.bytes);
    if (!done) return done;
  }
  done = sync_step(step);
  if (done && newer) done = disk_->rename(file(kNextCheckpointFile), file(kCheckpointFile));
  return done;
}

Status LogFolder::create_in(Step& step, const std::string& name, ByteView bytes) {
  Result<OpenFile> made = disk_->create(file(name), bytes, step.write_out);
  if (!made) return made.error();
  step.made.push_back({file(name), std::move(*made)});
  step.changed_folders.insert(parent_of(name));
  return {};
}

Status LogFolder::ensure_folders(Step& step, const std::string& name) {
  for (std::size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    const std::string folder = name.substr(0, slash);
    if (durable_folders_.contains(folder) || step.made_folders.contains(folder)) continue;
    if (Status made = disk_->make_folder(file(folder)); !made) return made;
    step.made_folders.insert(folder);
    step.changed_folders.insert(parent_of(folder));
  }
  return {};
}

Status LogFolder::remove_leftovers(std::uint64_t size, bool announced) {
  const FolderLock lock(folder_, FolderLock::Mode::exclusive);
  const Result<FolderListing> listing = list_folder(path_);
  if (!listing) return listing.error();
  const std::vector<TileName> expected = tiles_of(size);
  const std::set<TileName> needed(expected.begin(), expected.end());
  const bool has_next = exists(file(kNextCheckpointFile));
  announced = announced || has_next;
  std::vector<TileName> leftovers;
  std::size_t found = 0;
  for (const std::string& name : listing->files) {
    const std::optional<TileName> tile = parse_tile_path(name);
    if (!tile) continue;  // a stranger: the verifier reports it
    if (needed.contains(*tile)) {
      ++found;
      continue;
    }
    const std::uint64_t end = tile->index * kTileWidth + tile->width;
    const bool beyond = end > level_count(size, tile->level);
    const bool interrupted = announced || size % kTileWidth != 0;  // see write_step
    if (beyond && (!interrupted || end > level_count(size + kMaxCommitEntries, tile->level))) {
      return Error(ErrorKind::data, "The audit log " + path_ +
                                        " holds more than its checkpoint covers (" + name +
                                        "): the checkpoint is not the latest one.");
    }
    leftovers.push_back(*tile);
  }
  if (found != needed.size()) {
    return Error(ErrorKind::data, "Tiles of the audit log " + path_ + " are missing.");
  }
  for (const TileName& name : leftovers) {
    disk_->remove_file(file(name));
    if (!name.full()) disk_->remove_folder(file(partial_folder(name)));
  }
  if (has_next) disk_->remove_file(file(kNextCheckpointFile));
  return {};
}

Result<FolderListing> list_folder(const std::string& path) {
  FolderListing listing;
  std::error_code error;
  fs::recursive_directory_iterator at(path, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string name = at->path().lexically_relative(path).generic_string();
    const fs::file_status status = at->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) {
      listing.folders.push_back(name);
    } else if (fs::is_regular_file(status)) {
      listing.files.push_back(name);
    } else {
      listing.strange.push_back(name);
    }
  }
  if (error) return Error(ErrorKind::data, "Cannot list " + path + ": " + error.message() + ".");
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.strange.begin(), listing.strange.end());
  return listing;
}

}  // namespace paravent::crypto::audit
