#include "proxy/main/installation/move_backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;

Error exists_already(const fs::path& to, const fs::path& from) {
  return Error(ErrorKind::data, to.string() +
                                    " exists already and is not overwritten; the backup stays in " +
                                    from.string() + ".");
}

Error cannot_write(const fs::path& to, const fs::path& from, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Error(full ? ErrorKind::disk_full : ErrorKind::data,
               to.string() + " cannot be written" + (full ? " because the disk is full" : "") +
                   "; the backup stays in " + from.string() + ".");
}

// 0, or errno.
int write_all(int fd, const char* bytes, std::size_t size) noexcept {
  while (size > 0) {
    const ssize_t n = ::write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

// 0, or errno: every byte, and on the disk.
int copy(int from, int to) {
  std::vector<char> piece(std::size_t{1} << 20U);
  for (;;) {
    const ssize_t n = ::read(from, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    if (const int error = write_all(to, piece.data(), static_cast<std::size_t>(n)); error != 0) {
      return error;
    }
  }
  return ::fsync(to) == 0 ? 0 : errno;
}

// 0, or errno. The name that is given is one that nobody has: link() and this flag of rename say so
// in the step itself. Some file systems know only the one, some only the other.
int name_finally(const fs::path& partial, const fs::path& to) noexcept {
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno == EEXIST) return EEXIST;
  if (::link(partial.c_str(), to.c_str()) != 0) return errno;
  ::unlink(partial.c_str());
  return 0;
}

Status copy_over(const fs::path& from, const fs::path& to) {
  fs::path partial = to;
  partial += ".partial";
  const net::UniqueFd source(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (source.get() < 0) return Error(ErrorKind::data, from.string() + " cannot be read.");
  int error = 0;
  {
    const net::UniqueFd copied(
        ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (copied.get() < 0 && errno == EEXIST) return exists_already(partial, from);
    if (copied.get() < 0) return cannot_write(to, from, errno);
    error = copy(source.get(), copied.get());
  }
  if (error == 0) error = name_finally(partial, to);
  if (error == 0) return {};
  ::unlink(partial.c_str());
  return error == EEXIST ? exists_already(to, from) : cannot_write(to, from, error);
}

}  // namespace

Status move_backup(const fs::path& from, const fs::path& to) {
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  // First, because what cannot be made durable is not to be named either.
  if (!crypto::vault::sync_folder(folder)) return cannot_write(to, from, EACCES);
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return exists_already(to, from);
    // Another file system, or one without such links.
    if (auto s = copy_over(from, to); !s) return s;
  }
  if (auto s = crypto::vault::sync_folder(folder); !s) return s;
  return crypto::vault::remove_file_durably(from);
}

}  // namespace paravent::proxy::main
