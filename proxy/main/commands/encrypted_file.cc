#include "proxy/main/commands/encrypted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "crypto/reveal/file_opener.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::size_t kBuffer = std::size_t{1} << 20U;
constexpr std::size_t kFirst = crypto::kMaxFileLines + crypto::kStreamHeaderSize;

Error unreadable(const std::string& path) {
  return Error(ErrorKind::usage, "The file " + path + " cannot be read.");
}

Error not_one_of_ours(const std::string& path) {
  return Error(ErrorKind::data, "The file " + path + " is no file that a gateway encrypted.");
}

// Up to `most` bytes, fewer only at the end; nullopt: an error.
bool read_up_to(int fd, std::size_t most, std::string& out) {
  out.resize(most);
  std::size_t have = 0;
  while (have < most) {
    const ssize_t got = ::read(fd, out.data() + have, most - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return true;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A file that has its name only once it is whole, whatever ends the process before. Nameless until
// then; where the file system or a missing /proc does not allow that, under a name of its own.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), folder_(folder_of(path_)) {
    struct stat there {};
    if (::lstat(path_.c_str(), &there) == 0) return;
    if (::access("/proc/self/fd", X_OK) == 0) {
      fd_ = net::UniqueFd(::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    }
    if (fd_) return;
    temporary_ = path_ + ".XXXXXX";
    fd_ = net::UniqueFd(::mkostemp(temporary_.data(), O_CLOEXEC));
    if (!fd_) temporary_.clear();
  }
  ~NewFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  bool made() const noexcept { return static_cast<bool>(fd_); }
  bool write(std::string_view bytes) { return write_all(fd_.get(), bytes); }
  // Never over a file that came there meanwhile.
  bool keep() {
    if (::fsync(fd_.get()) != 0 || !give_name()) return false;
    // Best effort: the folder may be one that its user can write and not read.
    const net::UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) == 0 || errno == EINVAL) return true;
    ::unlink(path_.c_str());
    return false;
  }

 private:
  bool give_name() const {
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    const bool nameless = temporary_.empty();
    const std::string& from = nameless ? self : temporary_;
    const int follow = nameless ? AT_SYMLINK_FOLLOW : 0;
    if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path_.c_str(), follow) == 0) return true;
    // A file system without links; what is nameless has no other way.
    return !nameless && errno != EEXIST &&
           ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0;
  }

  std::string path_;
  std::string folder_;
  std::string temporary_;  // empty: nameless
  net::UniqueFd fd_;
};

}  // namespace

Result<std::string> token_of_file(const std::string& path) {
  const net::UniqueFd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string first;
  if (in.get() < 0 || !read_up_to(in.get(), kFirst, first)) return unreadable(path);
  const auto head = crypto::reveal::read_file_head(first);
  if (!head) return not_one_of_ours(path);
  return head->token;
}

Status open_file(const std::string& path, std::string_view key, const std::string& out) {
  const net::UniqueFd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  if (in.get() < 0 || !read_up_to(in.get(), kBuffer, bytes)) return unreadable(path);
  const auto head = crypto::reveal::read_file_head(bytes);
  auto opener = crypto::reveal::FileOpener::start(key, bytes);
  if (!head || !opener) return not_one_of_ours(path);
  NewFile made(out);
  if (!made.made()) {
    return Error(ErrorKind::usage, "The file " + out + " cannot be made, or exists already.");
  }
  const Error altered(ErrorKind::data,
                      "The file " + path + " was altered or cut off; nothing of it was written.");
  const Error unwritable(ErrorKind::data, "The file " + out + " cannot be written.");
  std::string clear;
  bytes.erase(0, head->size);
  for (bool more = true; more;) {
    clear.clear();
    if (!opener->feed(bytes, clear)) return altered;
    if (!made.write(clear)) return unwritable;
    if (!read_up_to(in.get(), kBuffer, bytes)) return unreadable(path);
    more = !bytes.empty();
  }
  clear.clear();
  if (!opener->end(clear)) return altered;
  return made.write(clear) && made.keep() ? Status() : Status(unwritable);
}

}  // namespace paravent::proxy::main
