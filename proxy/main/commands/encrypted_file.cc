#include "proxy/main/commands/encrypted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

// Takes the file away again unless it was kept.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)),
        fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)),
        made_(fd_.get() >= 0) {}
  ~NewFile() {
    if (made_ && !kept_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  bool made() const noexcept { return made_; }
  bool write(std::string_view bytes) { return write_all(fd_.get(), bytes); }
  bool keep() {
    kept_ = ::fsync(fd_.get()) == 0;
    return kept_;
  }

 private:
  std::string path_;
  net::UniqueFd fd_;
  bool made_;
  bool kept_ = false;
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
