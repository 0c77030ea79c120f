#include "crypto/vault/engine/backup/backup_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kFirstLine = "paravent-backup 1\n";
constexpr std::size_t kMaxManifest = std::size_t{256} << 20U;
constexpr std::size_t kPiece = std::size_t{64} << 10U;

bool is_path_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// Relative, without "." and "..", so that it stays below the folder it is unpacked in.
bool is_good_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxArchivePath) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." ||
        !std::all_of(part.begin(), part.end(), is_path_byte)) {
      return false;
    }
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string encode(const StoreRecord& record) {
  std::string out("R");
  append_u8(out, static_cast<std::uint8_t>(record.kind));
  append_lp(out, record.key);
  append_u32be(out, static_cast<std::uint32_t>(record.value.size()));
  out.append(record.value);
  return out;
}

std::string file_line(std::string_view path, std::uint64_t size, const Sha256Digest& digest) {
  return "file " + std::to_string(size) + " " + to_hex(digest) + " " + std::string(path) + "\n";
}

std::string store_line(std::uint64_t records, const Sha256Digest& digest) {
  return "store " + std::to_string(records) + " " + to_hex(digest) + "\n";
}

bool is_fact_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

bool is_fact_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Error malformed() noexcept { return Error(ErrorKind::malformed); }

}  // namespace

Status ArchiveWriter::begin_file(std::string_view path, std::uint64_t size) {
  if (!is_good_path(path)) return Error(ErrorKind::internal);
  std::string head("F");
  append_lp(head, path);
  append_u64be(head, size);
  return sink_.write(as_bytes(head));
}

void ArchiveWriter::end_file(std::string_view path, std::uint64_t size,
                             const Sha256Digest& digest) {
  files_ += file_line(path, size, digest);
}

Status ArchiveWriter::add_file(std::string_view path, ByteView bytes) {
  if (auto s = begin_file(path, bytes.size()); !s) return s;
  if (auto s = sink_.write(bytes); !s) return s;
  end_file(path, bytes.size(), sha256(bytes));
  return {};
}

Status ArchiveWriter::add_file(std::string_view path, const std::filesystem::path& from) {
  const Error unreadable(ErrorKind::data, from.string() + " cannot be read for the backup.");
  const int descriptor = ::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return unreadable;
  struct stat info {};
  Status status;
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) status = unreadable;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (status) status = begin_file(path, size);
  Sha256 hash;
  Bytes piece(kPiece);
  std::uint64_t left = size;
  while (status && left > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece));
    const ssize_t n = ::read(descriptor, piece.data(), want);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      status = unreadable;
      break;
    }
    const ByteView part = ByteView(piece).first(static_cast<std::size_t>(n));
    hash.update(part);
    left -= part.size();
    status = sink_.write(part);
  }
  wipe(MutableBytes(piece));
  ::close(descriptor);
  if (status) end_file(path, size, hash.finish());
  return status;
}

Status ArchiveWriter::add_record(const StoreRecord& record) {
  const std::string item = encode(record);
  store_.update(as_bytes(item));
  ++records_;
  return sink_.write(as_bytes(item));
}

Status ArchiveWriter::finish(const ArchiveFacts& facts) {
  std::string manifest(kFirstLine);
  for (const auto& [name, value] : facts) {
    if (!is_fact_name(name) || !is_fact_value(value)) return Error(ErrorKind::internal);
    manifest += "fact " + name + " " + value + "\n";
  }
  manifest += files_ + store_line(records_, store_.finish());
  std::string item("M");
  append_u32be(item, static_cast<std::uint32_t>(manifest.size()));
  return sink_.write(as_bytes(item + manifest));
}

namespace {

// One reading of an archive from front to back.
class ArchiveReading {
 public:
  ArchiveReading(ByteSource& source, ArchiveVisitor& visitor)
      : source_(source), visitor_(visitor) {}

  Result<ArchiveSummary> run() {
    for (;;) {
      Bytes type(1);
      if (auto s = take(type); !s) return s.error();
      Status status;
      if (type[0] == 'F') {
        status = file();
      } else if (type[0] == 'R') {
        status = record();
      } else if (type[0] == 'M') {
        status = manifest();
      } else {
        status = malformed();
      }
      if (!status) return status.error();
      if (type[0] == 'M') return std::move(summary_);
    }
  }

 private:
  // Exactly these many bytes.
  Status take(MutableBytes out) {
    const auto size = source_.read(out);
    if (!size) return size.error();
    if (*size != out.size()) return malformed();
    return {};
  }
  Result<std::uint64_t> number(std::size_t bytes) {
    std::array<std::uint8_t, 8> raw{};
    if (auto s = take(MutableBytes(raw).last(bytes)); !s) return s.error();
    return ByteReader(raw).u64();
  }
  // `size_bytes` of length, then as many bytes; a length above `limit` is malformed.
  Result<std::string> text(std::size_t size_bytes, std::size_t limit) {
    const auto size = number(size_bytes);
    if (!size) return size.error();
    if (*size > limit) return malformed();
    std::string out;
    // Grows with what is there, not with what is claimed.
    while (out.size() < *size) {
      const std::size_t at = out.size();
      out.resize(std::min<std::size_t>(static_cast<std::size_t>(*size), at + kPiece));
      if (auto s =
              take(MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()) + at, out.size() - at));
          !s) {
        return s.error();
      }
    }
    return out;
  }

  Status file() {
    const auto path = text(2, kMaxArchivePath);
    if (!path) return path.error();
    const auto size = number(8);
    if (!size) return size.error();
    if (!is_good_path(*path) || !paths_.insert(*path).second) return malformed();
    if (auto s = visitor_.begin_file(*path, *size); !s) return s;
    Sha256 hash;
    Bytes piece(kPiece);
    for (std::uint64_t left = *size; left > 0;) {
      const MutableBytes part = MutableBytes(piece).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
      if (auto s = take(part); !s) return s;
      hash.update(part);
      if (auto s = visitor_.file_bytes(part); !s) return s;
      left -= part.size();
    }
    wipe(MutableBytes(piece));
    files_ += file_line(*path, *size, hash.finish());
    ++summary_.files;
    return visitor_.end_file();
  }

  Status record() {
    const auto kind = number(1);
    if (!kind) return kind.error();
    auto key = text(2, 64);
    if (!key) return key.error();
    auto value = text(4, kMaxArchiveValue);
    if (!value) return value.error();
    const StoreRecord record{static_cast<StoreRecordKind>(*kind), std::move(*key),
                             std::move(*value)};
    if (!has_sizes_of_its_kind(record)) return malformed();
    store_.update(as_bytes(encode(record)));
    ++summary_.records;
    return visitor_.record(record);
  }

  Status manifest() {
    const auto stated = text(4, kMaxManifest);
    if (!stated) return stated.error();
    Bytes more(1);
    const auto behind = source_.read(more);
    if (!behind) return behind.error();
    if (*behind != 0) return malformed();
    const std::string computed = files_ + store_line(summary_.records, store_.finish());
    std::string_view facts(*stated);
    if (!facts.starts_with(kFirstLine) || !facts.ends_with(computed)) return malformed();
    facts.remove_prefix(kFirstLine.size());
    if (facts.size() < computed.size()) return malformed();
    facts.remove_suffix(computed.size());
    while (!facts.empty()) {
      const std::string_view line = facts.substr(0, facts.find('\n'));
      if (line.size() == facts.size() || !line.starts_with("fact ")) return malformed();
      facts.remove_prefix(line.size() + 1);
      const std::size_t space = line.find(' ', 5);
      if (space == std::string_view::npos) return malformed();
      const std::string_view name = line.substr(5, space - 5);
      const std::string_view value = line.substr(space + 1);
      const bool in_order = summary_.facts.empty() || summary_.facts.rbegin()->first < name;
      if (!is_fact_name(name) || !is_fact_value(value) || !in_order) return malformed();
      summary_.facts.emplace(name, value);
    }
    return {};
  }

  ByteSource& source_;
  ArchiveVisitor& visitor_;
  ArchiveSummary summary_;
  std::set<std::string> paths_;
  std::string files_;
  Sha256 store_;
};

}  // namespace

Result<ArchiveSummary> read_archive(ByteSource& source, ArchiveVisitor& visitor) {
  return ArchiveReading(source, visitor).run();
}

}  // namespace paravent::crypto::vault
