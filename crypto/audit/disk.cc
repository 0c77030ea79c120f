#include "crypto/audit/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace paravent::crypto::audit {
namespace {

Status write_all(int descriptor, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return disk_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Gives a nameless file its name. False where the file system or /proc does not play along.
bool link_nameless(int descriptor, const std::string& path) {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  if (errno != EEXIST || ::unlink(path.c_str()) != 0) return false;
  return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace

OpenFile::OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<OpenFile> Disk::create(const std::string& path, ByteView bytes, WriteOut write_out) {
  // Nameless first, so that a killed process leaves whole files or none.
  OpenFile file(::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (file.is_open()) {
    if (Status written = write_all(file.descriptor(), bytes, path); !written) {
      return written.error();
    }
    if (link_nameless(file.descriptor(), path)) {
      // Starts the write-back of several files at once; the waiting is in sync().
      if (write_out == WriteOut::now) {
        ::sync_file_range(file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
      }
      return file;
    }
    if (errno == ENOSPC || errno == EDQUOT) return disk_error("write", path);
  } else if (errno == ENOSPC || errno == EDQUOT || errno == EACCES || errno == EROFS) {
    return disk_error("write", path);
  }
  ::unlink(path.c_str());
  OpenFile named(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!named.is_open()) return disk_error("write", path);
  if (Status written = write_all(named.descriptor(), bytes, path); !written) {
    ::unlink(path.c_str());
    return written.error();
  }
  return named;
}

Status Disk::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return disk_error("create", path);
  return {};
}

Status Disk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return disk_error("rename", from);
  return {};
}

Status Disk::exchange(const std::string& from, const std::string& to) {
  const int done = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE);
  if (done == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return disk_error("rename", from);
  return Disk::rename(from, to);  // a file system that cannot
}

bool Disk::sync(const OpenFile& file, const std::string&) {
  return ::fsync(file.descriptor()) == 0;
}

Status Disk::write_at(const OpenFile& file, const std::string& path, std::uint64_t offset,
                      ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return disk_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

bool Disk::sync_data(const OpenFile& file, const std::string&) {
  return ::fdatasync(file.descriptor()) == 0;
}

void Disk::remove_file(const std::string& path) { ::unlink(path.c_str()); }

void Disk::remove_folder(const std::string& path) { ::rmdir(path.c_str()); }

Error disk_error(const char* what, const std::string& path) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return {full ? ErrorKind::disk_full : ErrorKind::data,
          std::string("Cannot ") + what + " " + path + ": " +
              std::generic_category().message(number) + "."};
}

Result<OpenFile> open_folder(const std::string& path) {
  OpenFile folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return disk_error("open", path);
  return folder;
}

Result<Bytes> read_whole(const std::string& path, std::size_t limit) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) return disk_error("read", path);
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) return disk_error("read", path);
  if (!S_ISREG(status.st_mode)) return Error(ErrorKind::data, path + " is not a regular file.");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit) return Error(ErrorKind::data, path + " is longer than it can be.");
  Bytes bytes(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(file.descriptor(), bytes.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return disk_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace paravent::crypto::audit
