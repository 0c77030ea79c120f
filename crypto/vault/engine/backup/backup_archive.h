// What is inside a backup: files and store records one after the other, and at the end a manifest
// with a hash of each, which the reader compares with what it has read.
//
//   'F' | LP(path) | u64 size | bytes         a file, path relative with "/" between the parts
//   'R' | u8 kind | LP(key) | u32 size | value                       a record of the token store
//   'M' | u32 size | manifest                                        nothing follows
//
// Manifest, text: "paravent-backup 1", then "fact NAME VALUE" lines, then "file SIZE SHA256 PATH"
// for each file in order, and "store RECORDS SHA256" over all 'R' items as they are written. Big
// endian; one spelling.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/backup/backup_file.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

inline constexpr std::size_t kMaxArchivePath = 1024;
inline constexpr std::size_t kMaxArchiveValue = std::size_t{1} << 20U;

// Names are [a-z-]+, values have neither line feed nor other control characters.
using ArchiveFacts = std::map<std::string, std::string>;

class ArchiveWriter {
 public:
  // The sink must outlive it.
  explicit ArchiveWriter(ByteSink& sink) : sink_(sink) {}

  Status add_file(std::string_view path, ByteView bytes);
  // ErrorKind::data: the file cannot be read, or is not as long as it was when it was opened.
  Status add_file(std::string_view path, const std::filesystem::path& from);
  Status add_record(const StoreRecord& record);
  Status finish(const ArchiveFacts& facts);

  std::uint64_t records() const noexcept { return records_; }

 private:
  Status begin_file(std::string_view path, std::uint64_t size);
  void end_file(std::string_view path, std::uint64_t size, const Sha256Digest& digest);

  ByteSink& sink_;
  std::string files_;  // lines of the manifest
  Sha256 store_;
  std::uint64_t records_ = 0;
};

class ArchiveVisitor {
 public:
  virtual ~ArchiveVisitor() = default;
  virtual Status begin_file(const std::string& path, std::uint64_t size) = 0;
  virtual Status file_bytes(ByteView bytes) = 0;
  virtual Status end_file() = 0;
  virtual Status record(const StoreRecord& record) = 0;
};

struct ArchiveSummary {
  ArchiveFacts facts;
  std::uint64_t files = 0;
  std::uint64_t records = 0;
};

// Reads to the end and compares with the manifest. ErrorKind::malformed without a sentence: not an
// archive, or not the one that the manifest describes; what source and visitor answer.
Result<ArchiveSummary> read_archive(ByteSource& source, ArchiveVisitor& visitor);

}  // namespace paravent::crypto::vault
