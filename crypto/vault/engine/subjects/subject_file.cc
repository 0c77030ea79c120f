#include "crypto/vault/engine/subjects/subject_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "crypto/primitives/hmac_sha256.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTSUBJ1";
constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kMacSize = 16;
constexpr std::size_t kHeadSize = 8 + 2 + 16 + 16 + 4 + kMacSize;
constexpr std::size_t kSizesSize = 8;

Error altered(const std::filesystem::path& path) {
  return Error(ErrorKind::data, "The subject keys " + path.string() +
                                    " are truncated or altered; restore them from a key backup.");
}

Error cannot_write(const std::filesystem::path& path, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return Error(ErrorKind::disk_full, path.string() +
                                           " cannot be written because the disk is full; free "
                                           "some space and try again.");
  }
  return Error(ErrorKind::data, path.string() +
                                    " cannot be written; check that the folder exists and belongs "
                                    "to this user, and that the disk is mounted for writing.");
}

// Whether all of it came; short only at the end of the file.
bool read_at(int fd, std::uint64_t offset, MutableBytes out) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

void sync_or_abort(int fd) noexcept {
  if (::fdatasync(fd) != 0) std::abort();
}

}  // namespace

SubjectFile::SubjectFile(std::filesystem::path path, const SubjectFileHead& head,
                         const SecretBytes& mac_key)
    : path_(std::move(path)), head_(head), mac_key_(mac_key.clone()) {}

SubjectFile::~SubjectFile() {
  if (fd_ >= 0) ::close(fd_);
  // A rewrite that was not finished: nobody relies on it.
  if (!target_.empty()) ::unlink(path_.c_str());
}

SubjectFile::Mac SubjectFile::mac_of(std::string_view piece) const {
  const ByteView before = chained_ ? ByteView(last_) : ByteView();
  const Sha256Digest digest = HmacSha256(mac_key_.bytes()).mac(before, as_bytes(piece));
  Mac mac{};
  std::copy_n(digest.begin(), mac.size(), mac.begin());
  return mac;
}

std::string SubjectFile::head_text() {
  std::string text(kMagic);
  append_u16be(text, kFormat);
  append_bytes(text, head_.installation);
  append_bytes(text, head_.store);
  append_u32be(text, head_.shred_number);
  last_ = mac_of(text);
  chained_ = true;
  append_bytes(text, last_);
  size_ = text.size();
  return text;
}

Result<std::unique_ptr<SubjectFile>> SubjectFile::create(const std::filesystem::path& path,
                                                         const SubjectFileHead& head,
                                                         const SecretBytes& mac_key) {
  std::unique_ptr<SubjectFile> file(new SubjectFile(path, head, mac_key));
  const std::string text = file->head_text();
  if (auto s = write_file_durably(path, as_bytes(text), Existing::refuse); !s) return s.error();
  file->fd_ = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (file->fd_ < 0) return cannot_write(path, errno);
  return file;
}

Result<std::unique_ptr<SubjectFile>> SubjectFile::open(
    const std::filesystem::path& path, const Id& installation, const Id& store,
    const SecretBytes& mac_key, const std::function<bool(ByteView)>& visitor) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error(ErrorKind::data, "The subject keys " + path.string() +
                                      " are missing, and no value of a data subject opens without "
                                      "them; restore them from a key backup.");
  }
  if (auto s = check_private(path); !s) return s.error();
  std::unique_ptr<SubjectFile> file(new SubjectFile(path, {}, mac_key));
  file->fd_ = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  struct stat info {};
  std::array<std::uint8_t, kHeadSize> head{};
  if (file->fd_ < 0 || ::fstat(file->fd_, &info) != 0 || !S_ISREG(info.st_mode) ||
      !read_at(file->fd_, 0, head)) {
    return altered(path);
  }
  ByteReader in(head);
  const bool magic = as_text(in.take(kMagic.size())) == kMagic;
  const std::uint16_t format = in.u16();
  file->head_ = {.installation = in.id(), .store = in.id(), .shred_number = in.u32()};
  if (magic && format > kFormat) {
    return Error(ErrorKind::data, "The subject keys " + path.string() +
                                      " were written by a newer version of paravent; install that "
                                      "version.");
  }
  const std::string expected = file->head_text();
  if (!magic || !equal_constant_time(as_bytes(expected), head)) return altered(path);
  if (file->head_.installation != installation || file->head_.store != store) {
    return Error(ErrorKind::data, "The subject keys " + path.string() +
                                      " belong to another installation than the keys beside them; "
                                      "restore the ones that do.");
  }
  if (auto s = file->read_groups(static_cast<std::uint64_t>(info.st_size), visitor); !s) {
    return s.error();
  }
  return file;
}

Status SubjectFile::read_groups(std::uint64_t file_size,
                                const std::function<bool(ByteView)>& visitor) {
  Bytes group;
  while (size_ < file_size) {
    const std::uint64_t rest = file_size - size_;
    if (rest < kSizesSize) break;
    std::array<std::uint8_t, kSizesSize> sizes{};
    if (!read_at(fd_, size_, sizes)) return altered(path_);
    const std::uint32_t size = load_u32be(sizes.data());
    if (size == 0 || size > kMaxSubjectGroup || load_u32be(sizes.data() + 4) != ~size) {
      return altered(path_);
    }
    const std::size_t whole = kSizesSize + size + kMacSize;
    if (rest < whole) break;
    group.resize(whole);
    if (!read_at(fd_, size_, group)) return altered(path_);
    const ByteView all(group);
    const Mac mac = mac_of(as_text(all.first(kSizesSize + size)));
    if (!equal_constant_time(mac, all.last(kMacSize)) || !visitor(all.subspan(kSizesSize, size))) {
      return altered(path_);
    }
    last_ = mac;
    size_ += whole;
  }
  // What was never acknowledged goes, so that the next group stands where it belongs.
  if (size_ < file_size) {
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return cannot_write(path_, errno);
    sync_or_abort(fd_);
  }
  return {};
}

Status SubjectFile::write_at_end(std::string_view bytes) {
  ByteView rest = as_bytes(bytes);
  std::uint64_t at = size_;
  while (!rest.empty()) {
    const ssize_t n = ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(at));
    if (n < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      // A piece that stays behind would be taken for a group that was cut short, and overwritten.
      if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) std::abort();
      return cannot_write(path_, error);
    }
    rest = rest.subspan(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status SubjectFile::append(std::span<const std::string> groups, bool sync) {
  const Mac before = last_;
  std::string all;
  for (const std::string& changes : groups) {
    if (changes.empty() || changes.size() > kMaxSubjectGroup) std::abort();
    const std::size_t begin = all.size();
    const auto size = static_cast<std::uint32_t>(changes.size());
    append_u32be(all, size);
    append_u32be(all, ~size);
    all.append(changes);
    last_ = mac_of(std::string_view(all).substr(begin));
    append_bytes(all, last_);
  }
  if (auto s = write_at_end(all); !s) {
    last_ = before;
    return s;
  }
  if (sync) sync_or_abort(fd_);
  size_ += all.size();
  return {};
}

Result<std::unique_ptr<SubjectFile>> SubjectFile::begin_rewrite(std::uint32_t shred_number) const {
  SubjectFileHead head = head_;
  head.shred_number = shred_number;
  std::filesystem::path beside = path_;
  beside += ".new";
  std::unique_ptr<SubjectFile> file(new SubjectFile(beside, head, mac_key_));
  file->fd_ = ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file->fd_ < 0) return cannot_write(beside, errno);
  file->target_ = path_;
  const std::string text = file->head_text();
  file->size_ = 0;
  if (auto s = file->write_at_end(text); !s) return s.error();
  file->size_ = text.size();
  return file;
}

void SubjectFile::sync_rewrite() { sync_or_abort(fd_); }

Status SubjectFile::finish_rewrite() {
  if (target_.empty()) std::abort();
  sync_rewrite();
  if (::rename(path_.c_str(), target_.c_str()) != 0) return cannot_write(target_, errno);
  path_ = std::exchange(target_, {});
  return sync_folder(path_.parent_path());
}

std::optional<std::uint32_t> SubjectFile::number_of(const std::filesystem::path& path,
                                                    const SecretBytes& mac_key) {
  SubjectFile file(path, {}, mac_key);
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  std::array<std::uint8_t, kHeadSize> head{};
  if (file.fd_ < 0 || !read_at(file.fd_, 0, head)) return std::nullopt;
  ByteReader in(head);
  in.take(kMagic.size());
  in.u16();
  file.head_ = {.installation = in.id(), .store = in.id(), .shred_number = in.u32()};
  const std::string expected = file.head_text();
  if (!equal_constant_time(as_bytes(expected), head)) return std::nullopt;
  return file.head_.shred_number;
}

Status SubjectFile::settle(const std::filesystem::path& path, std::uint32_t shred_number,
                           const SecretBytes& mac_key) {
  std::filesystem::path beside = path;
  beside += ".new";
  std::error_code error;
  if (!std::filesystem::exists(beside, error)) return {};
  const auto number = number_of(path, mac_key);
  if (number == shred_number) return remove_file_durably(beside);
  if (number_of(beside, mac_key) != shred_number) return {};
  if (::rename(beside.c_str(), path.c_str()) != 0) return cannot_write(path, errno);
  return sync_folder(path.parent_path());
}

}  // namespace paravent::crypto::vault
