#include "crypto/vault/engine/backup/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTBKUP1";
constexpr std::uint16_t kKeysFormat = 2;
constexpr std::uint16_t kDataFormat = 3;
constexpr std::uint16_t kDataFormatBefore = 2;
constexpr std::size_t kWrappedSize = kStreamKeySize + kXchachaTagSize;
// Up to the size of the unseal record, and what is behind the record.
constexpr std::size_t kPrefixSize = 8 + 2 + 1 + 16 + 16 + 8 + 8 + 2;
constexpr std::size_t kKeyPartSize = kXchachaNonceSize + kWrappedSize + kStreamHeaderSize;
constexpr std::size_t kSealedChunk = kBackupChunk + kStreamChunkOverhead;

std::array<std::uint8_t, 8> check_of(ByteView key, const Id& installation) {
  const Sha256Digest mac = HmacSha256(key).mac(as_bytes(std::string_view("kcv")), installation);
  std::array<std::uint8_t, 8> check{};
  std::copy_n(mac.begin(), check.size(), check.begin());
  return check;
}

// The parts of a header whose sizes are fixed: they stand at its end.
struct KeyPart {
  explicit KeyPart(MutableBytes header)
      : before(header.first(header.size() - kKeyPartSize)),
        nonce(header.last(kKeyPartSize).first(kXchachaNonceSize)),
        wrapped(header.last(kKeyPartSize).subspan(kXchachaNonceSize, kWrappedSize)),
        stream(header.last(kStreamHeaderSize)) {}
  MutableBytes before;  // AD of the wrap
  MutableBytes nonce;
  MutableBytes wrapped;
  MutableBytes stream;
};

std::filesystem::path partial_of(std::filesystem::path file) {
  file += ".partial";
  return file;
}

Error cannot_write(const std::filesystem::path& file, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return Error(ErrorKind::disk_full, "The backup " + file.string() +
                                           " cannot be written because the disk is full; nothing "
                                           "of it is left.");
  }
  return Error(ErrorKind::data,
               "The backup " + file.string() + " cannot be written; check the folder.");
}

int write_all(int descriptor, ByteView bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

// Fills `out` as far as the file goes; -1: it cannot be read.
ssize_t read_all(int descriptor, MutableBytes out) noexcept {
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t n = ::read(descriptor, out.data() + have, out.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(have);
}

}  // namespace

std::uint16_t backup_format(BackupKind kind) noexcept {
  return kind == BackupKind::data ? kDataFormat : kKeysFormat;
}

bool BackupHeader::is_readable() const noexcept {
  return format == backup_format(info.kind) ||
         (info.kind == BackupKind::data && format == kDataFormatBefore);
}

Result<BackupHeader> parse_backup_header(ByteView bytes) {
  ByteReader in(bytes);
  if (as_text(in.take(kMagic.size())) != kMagic) return Error(ErrorKind::malformed);
  BackupHeader header;
  header.format = in.u16();
  const std::uint8_t kind = in.u8();
  if (kind == static_cast<std::uint8_t>(BackupKind::keys)) header.info.kind = BackupKind::keys;
  if (!header.is_readable()) return header;
  header.info.installation = in.id();
  header.info.id = in.id();
  const std::uint64_t made = in.u64();
  const std::uint64_t expires = in.u64();
  const ByteView record = in.lp();
  const ByteView check = in.take(header.check.size());
  in.take(kKeyPartSize);
  constexpr std::uint64_t kLatest = std::uint64_t{1} << 48U;  // some thousand years
  if (!in.done() || kind < 1 || kind > 2 || made > kLatest || expires > kLatest ||
      record.size() > kMaxUnsealInBackup || (!record.empty() && kind != 2)) {
    return Error(ErrorKind::malformed);
  }
  std::copy(check.begin(), check.end(), header.check.begin());
  header.info.made = WallTime(std::chrono::milliseconds(made));
  header.info.expires = WallTime(std::chrono::milliseconds(expires));
  header.info.unseal_record.assign(record.begin(), record.end());
  return header;
}

Result<std::unique_ptr<BackupWriter>> BackupWriter::create(const std::filesystem::path& file,
                                                           const BackupInfo& info,
                                                           ByteView backup_key) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    return Error(ErrorKind::data, file.string() + " exists already and is not overwritten.");
  }
  const int descriptor =
      ::open(partial_of(file).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return cannot_write(file, errno);

  std::string text(kMagic);
  append_u16be(text, backup_format(info.kind));
  append_u8(text, static_cast<std::uint8_t>(info.kind));
  append_bytes(text, info.installation);
  append_bytes(text, info.id);
  append_u64be(text, static_cast<std::uint64_t>(info.made.time_since_epoch().count()));
  append_u64be(text, static_cast<std::uint64_t>(info.expires.time_since_epoch().count()));
  append_lp(text, as_text(info.unseal_record));
  append_bytes(text, check_of(backup_key, info.installation));
  Bytes header(as_bytes(text).begin(), as_bytes(text).end());
  header.resize(header.size() + kKeyPartSize);
  const KeyPart parts{MutableBytes(header)};
  SecretBytes key(kStreamKeySize);
  random_bytes(key.mutable_bytes());
  random_bytes(parts.nonce);
  auto sealer = StreamSealer::start(key.bytes(), parts.stream);
  if (!sealer ||
      !xchacha20_poly1305_seal(backup_key, parts.nonce, parts.before, key.bytes(), parts.wrapped)) {
    std::abort();  // only sizes can be wrong, and they are constants
  }
  std::unique_ptr<BackupWriter> writer(
      new BackupWriter(file, descriptor, std::move(*sealer), std::move(header)));
  if (const int error = write_all(descriptor, writer->header_)) return cannot_write(file, error);
  writer->plain_.reserve(kBackupChunk);
  return writer;
}

BackupWriter::~BackupWriter() {
  wipe(MutableBytes(plain_));
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!finished_) ::unlink(partial_of(file_).c_str());
}

Status BackupWriter::flush(StreamPart part) {
  sealed_.resize(plain_.size() + kStreamChunkOverhead);
  if (auto s = sealer_.seal(header_, plain_, part, sealed_); !s) return s;
  header_.clear();
  wipe(MutableBytes(plain_));
  plain_.clear();
  if (const int error = write_all(descriptor_, sealed_)) return cannot_write(file_, error);
  return {};
}

Status BackupWriter::write(ByteView bytes) {
  while (!bytes.empty()) {
    // A full chunk waits, because it may turn out to be the last.
    if (plain_.size() == kBackupChunk) {
      if (auto s = flush(StreamPart::more); !s) return s;
    }
    const std::size_t size = std::min(bytes.size(), kBackupChunk - plain_.size());
    plain_.insert(plain_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  return {};
}

Status BackupWriter::finish() {
  if (auto s = flush(StreamPart::last); !s) return s;
  if (::fsync(descriptor_) != 0) std::abort();
  if (::link(partial_of(file_).c_str(), file_.c_str()) != 0) {
    if (errno == EEXIST) {
      return Error(ErrorKind::data, file_.string() + " exists already and is not overwritten.");
    }
    return cannot_write(file_, errno);
  }
  ::unlink(partial_of(file_).c_str());
  finished_ = true;
  const std::filesystem::path folder = file_.parent_path();
  return sync_folder(folder.empty() ? "." : folder);
}

Result<std::unique_ptr<BackupReader>> BackupReader::open_unchecked(
    const std::filesystem::path& file, std::array<std::uint8_t, 8>& check) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Error(ErrorKind::data,
                 "The backup " + file.string() + " cannot be read; check the name.");
  }
  std::unique_ptr<BackupReader> reader(
      new BackupReader(file, descriptor, {},
                       StreamOpener::start(Bytes(kStreamKeySize), Bytes(kStreamHeaderSize)).value(),
                       Bytes(kPrefixSize)));
  Bytes& bytes = reader->header_;
  ssize_t size = read_all(descriptor, bytes);
  const bool ours = size > 0 && as_text(bytes).starts_with(kMagic);
  if (ours && size >= 10 && bytes[8] == 0 && bytes[9] == 1) {
    return Error(ErrorKind::data, "The backup " + file.string() +
                                      " was written by a version of paravent before the first "
                                      "release; make a new one.");
  }
  if (size == static_cast<ssize_t>(kPrefixSize)) {
    const std::size_t record =
        std::size_t{bytes[kPrefixSize - 2]} << 8U | std::size_t{bytes[kPrefixSize - 1]};
    bytes.resize(kPrefixSize + record + check.size() + kKeyPartSize);
    const ssize_t more = read_all(descriptor, MutableBytes(bytes).subspan(kPrefixSize));
    size = more < 0 ? more : size + more;
  }
  if (size >= 0) bytes.resize(static_cast<std::size_t>(size));
  const auto header =
      size < 0 ? Result<BackupHeader>(Error(ErrorKind::malformed)) : parse_backup_header(bytes);
  if (header && header->is_newer()) {
    return Error(ErrorKind::data, "The backup " + file.string() +
                                      " was written by a newer version of paravent; install that "
                                      "version.");
  }
  if (!header || !header->is_readable()) {
    if (ours) return reader->damaged();
    return Error(ErrorKind::data, file.string() + " is not a backup of paravent.");
  }
  reader->info_ = header->info;
  check = header->check;
  return reader;
}

Result<BackupInfo> BackupReader::read_info(const std::filesystem::path& file) {
  std::array<std::uint8_t, 8> check{};
  const auto reader = open_unchecked(file, check);
  if (!reader) return reader.error();
  return (*reader)->info_;
}

Result<std::unique_ptr<BackupReader>> BackupReader::open(const std::filesystem::path& file,
                                                         ByteView backup_key) {
  std::array<std::uint8_t, 8> check{};
  auto opened = open_unchecked(file, check);
  if (!opened) return opened;
  std::unique_ptr<BackupReader> reader = std::move(*opened);
  if (!equal_constant_time(check_of(backup_key, reader->info_.installation), check)) {
    return Error(ErrorKind::data, "The root key is not the one that the backup " + file.string() +
                                      " was made with; name the right one with --root-key.");
  }
  const KeyPart parts{MutableBytes(reader->header_)};
  SecretBytes key(kStreamKeySize);
  if (!xchacha20_poly1305_open(backup_key, parts.nonce, parts.before, parts.wrapped,
                               key.mutable_bytes())) {
    return reader->damaged();
  }
  auto opener = StreamOpener::start(key.bytes(), parts.stream);
  if (!opener) return reader->damaged();
  reader->opener_ = std::move(*opener);
  return reader;
}

BackupReader::~BackupReader() {
  wipe(MutableBytes(plain_));
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error BackupReader::damaged() const {
  return Error(ErrorKind::data, "The backup " + file_.string() +
                                    " is truncated or altered; nothing was changed. Take another "
                                    "one.");
}

Status BackupReader::next_chunk() {
  sealed_.resize(kSealedChunk);
  const ssize_t size = read_all(descriptor_, sealed_);
  if (size < static_cast<ssize_t>(kStreamChunkOverhead)) return damaged();
  sealed_.resize(static_cast<std::size_t>(size));
  plain_.resize(sealed_.size() - kStreamChunkOverhead);
  at_ = 0;
  const auto part = opener_.open(header_, sealed_, plain_);
  header_.clear();
  if (!part) return damaged();
  last_ = *part == StreamPart::last;
  // A chunk in the middle is full, and nothing stands behind the last.
  std::array<std::uint8_t, 1> more{};
  if (last_ ? read_all(descriptor_, more) != 0 : sealed_.size() != kSealedChunk) return damaged();
  return {};
}

Result<std::size_t> BackupReader::read(MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (at_ == plain_.size()) {
      if (last_) break;
      if (auto s = next_chunk(); !s) return s.error();
      continue;
    }
    const std::size_t size = std::min(out.size() - done, plain_.size() - at_);
    std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(at_), size, out.subspan(done).begin());
    at_ += size;
    done += size;
  }
  return done;
}

}  // namespace paravent::crypto::vault
