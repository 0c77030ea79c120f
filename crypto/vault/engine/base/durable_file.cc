#include "crypto/vault/engine/base/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {
namespace {

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

bool no_space(int error) noexcept { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

Error cannot_write(const std::filesystem::path& path, int error) {
  if (no_space(error)) {
    return Error(ErrorKind::disk_full, path.string() +
                                           " cannot be written because the disk is full; free "
                                           "some space and try again.");
  }
  return Error(ErrorKind::data,
               path.string() +
                   " cannot be written; check that the folder exists and belongs to "
                   "this user, and that the disk is mounted for writing.");
}

// 0, or errno.
int write_all(int fd, ByteView bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

void sync_or_abort(int fd) noexcept {
  // Not even EINTR is retried: the state of the pages is unknown after any failure.
  if (::fsync(fd) != 0) std::abort();
}

// A folder opened before its names change, so that nothing can fail between the change and its
// sync.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& path)
      : file_(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  bool is_open() const noexcept { return file_.get() >= 0; }
  void sync() const noexcept { sync_or_abort(file_.get()); }

 private:
  File file_;
};

}  // namespace

Status sync_folder(const std::filesystem::path& folder) {
  const Folder dir(folder);
  if (!dir.is_open()) return cannot_write(folder, errno);
  dir.sync();
  return {};
}

std::filesystem::path temporary_of(const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  return temporary;
}

Status write_file_durably(const std::filesystem::path& path, ByteView bytes, Existing existing) {
  const std::filesystem::path temporary = temporary_of(path);
  const Folder folder(path.parent_path());
  if (!folder.is_open()) return cannot_write(path, errno);
  {
    const File file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0) return cannot_write(path, errno);
    int error = ::fchmod(file.get(), 0600) != 0 ? errno : 0;
    if (error == 0) error = write_all(file.get(), bytes);
    if (error != 0) {
      ::unlink(temporary.c_str());
      return cannot_write(path, error);
    }
    sync_or_abort(file.get());
  }
  // link() fails when the name is taken, rename() replaces: each in one atomic step.
  const bool moved = existing == Existing::replace ? ::rename(temporary.c_str(), path.c_str()) == 0
                                                   : ::link(temporary.c_str(), path.c_str()) == 0;
  const int error = moved ? 0 : errno;
  if (!moved || existing == Existing::refuse) ::unlink(temporary.c_str());
  if (error == EEXIST) {
    return Error(ErrorKind::data, path.string() + " exists already and is not overwritten.");
  }
  if (error != 0) return cannot_write(path, error);
  folder.sync();
  return {};
}

Result<SecretBytes> read_file(const std::filesystem::path& path, std::size_t limit) {
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
    return Error(
        ErrorKind::data,
        path.string() + (errno == ENOENT ? " is missing." : " cannot be read; check its owner."));
  }
  if (!S_ISREG(info.st_mode) || info.st_size < 0 || std::cmp_greater(info.st_size, limit)) {
    return Error(ErrorKind::data, path.string() + " is not a file of the expected size.");
  }
  SecretBytes bytes(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(file.get(), bytes.mutable_bytes().data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error(ErrorKind::data, path.string() + " cannot be read to its end.");
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

Status check_private(const std::filesystem::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return Error(ErrorKind::data, path.string() + " is missing or cannot be reached.");
  }
  if (S_ISLNK(info.st_mode)) {
    return Error(ErrorKind::data,
                 path.string() + " is a symbolic link; name the place it points to.");
  }
  if (info.st_uid != ::geteuid()) {
    return Error(ErrorKind::data, path.string() +
                                      " belongs to another user; run as its owner or "
                                      "change the owner with chown.");
  }
  if ((info.st_mode & 077U) != 0) {
    return Error(ErrorKind::data, path.string() + " can be reached by other users; run: chmod " +
                                      (S_ISDIR(info.st_mode) ? "700 " : "600 ") + path.string());
  }
  return {};
}

Status remove_file_durably(const std::filesystem::path& path) {
  const Folder folder(path.parent_path());
  if (!folder.is_open()) return cannot_write(path, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot_write(path, errno);
  folder.sync();
  return {};
}

Status erase_file_durably(const std::filesystem::path& path) {
  {
    const File file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return cannot_write(path, errno);
    Bytes noise(static_cast<std::size_t>(info.st_size));
    random_bytes(noise);
    if (const int error = write_all(file.get(), noise); error != 0) {
      return cannot_write(path, error);
    }
    sync_or_abort(file.get());
  }
  return remove_file_durably(path);
}

Status make_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty()) return {};
  const bool made = ::mkdir(folder.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return {};
  // Also of one that is there: whoever made it may have been cut off before its name was durable.
  const std::filesystem::path above = folder.parent_path();
  const Status synced = sync_folder(above.empty() ? "." : above);
  return made ? synced : Status();
}

Status make_folders_durably(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty()) return {};
  const std::filesystem::path above = folder.parent_path();
  if (std::filesystem::exists(folder, error)) {
    // The deepest one that is there: a start that was cut off may have left its name unsynced.
    std::ignore = sync_folder(above.empty() ? "." : above);
    return {};
  }
  if (auto s = make_folders_durably(above); !s) return s;
  if (!std::filesystem::create_directory(folder, error)) return {};
  return sync_folder(above.empty() ? "." : above);
}

Status rename_file_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Folder folder(to.parent_path());
  if (!folder.is_open()) return cannot_write(to, errno);
  if (::rename(from.c_str(), to.c_str()) != 0) return cannot_write(to, errno);
  folder.sync();
  return {};
}

}  // namespace paravent::crypto::vault
