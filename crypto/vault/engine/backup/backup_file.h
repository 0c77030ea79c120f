// A backup as a file: a header, then one encrypted stream in chunks of 64 KiB, whose last chunk
// says that it is the last (secret_stream.h). Nothing can be altered, moved or cut off unnoticed.
//
//   "PVTBKUP1" | u16 format | u8 kind | installation 16 | backup id 16 | u64 made | u64 expires |
//   LP(unseal record) | check 8 | nonce 24 | wrapped stream key 48 | stream header 24 | chunks
//
// Format 2; of a data backup 3, since it holds the list of what was settled, which the version
// before does not take: it says so instead of calling it altered. A data backup of format 2 is read
// still. Times in ms since 1970 UTC; expires 0: never. The stream key is random, used once, and
// wrapped (XChaCha20-Poly1305, the header before the nonce as AD) under a key that is derived from
// the root key for nothing else: whoever restores needs the root key anyway, and a gateway that
// runs has no need of a second secret. check = HMAC(that key, "kcv" | installation) cut to 8, so
// that a mistaken root key gets its own sentence. The unseal record of a key backup lies in the
// clear (it is no secret by itself), because it is what makes that root key from a pass-phrase, a
// token or shares; empty where a file holds the key. The whole header is AD of the first chunk. Big
// endian.
//
// One thread at a time. A failed fsync ends the process.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/secret_stream.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

// Stored numbers: never renumber, never reuse.
enum class BackupKind : std::uint8_t {
  data = 1,  // everything but keys and blind index
  keys = 2,  // the keys folder, nothing else
};

struct BackupInfo {
  BackupKind kind = BackupKind::data;
  Id installation{};
  Id id{};
  WallTime made;
  WallTime expires;     // the epoch of the clock: never
  Bytes unseal_record;  // of a key backup; at most kMaxUnsealInBackup bytes
  bool can_expire() const noexcept { return expires != WallTime(); }
};

// Of a header without an unseal record.
inline constexpr std::size_t kBackupHeaderSize = 8 + 2 + 1 + 16 + 16 + 8 + 8 + 2 + 8 + 24 + 48 + 24;
inline constexpr std::size_t kMaxUnsealInBackup = 4096;
inline constexpr std::size_t kBackupChunk = std::size_t{64} << 10U;

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(ByteView bytes) = 0;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fewer bytes than asked for: that was the end, and it was the right one.
  virtual Result<std::size_t> read(MutableBytes out) = 0;
};

class BackupWriter final : public ByteSink {
 public:
  // Begins FILE.partial (mode 0600). ErrorKind::data: FILE exists, or the folder is missing;
  // disk_full.
  static Result<std::unique_ptr<BackupWriter>> create(const std::filesystem::path& file,
                                                      const BackupInfo& info, ByteView backup_key);
  // Removes FILE.partial unless finish() succeeded.
  ~BackupWriter() override;
  BackupWriter(const BackupWriter&) = delete;
  BackupWriter& operator=(const BackupWriter&) = delete;

  Status write(ByteView bytes) override;
  // Seals the last chunk, makes the file durable and gives it its name.
  Status finish();

 private:
  BackupWriter(std::filesystem::path file, int descriptor, StreamSealer sealer, Bytes header)
      : file_(std::move(file)),
        descriptor_(descriptor),
        sealer_(std::move(sealer)),
        header_(std::move(header)) {}
  Status flush(StreamPart part);

  std::filesystem::path file_;
  int descriptor_;
  StreamSealer sealer_;
  Bytes header_;  // AD of the first chunk; then empty
  Bytes plain_;
  Bytes sealed_;
  bool finished_ = false;
};

class BackupReader final : public ByteSource {
 public:
  // ErrorKind::data, one sentence each: missing, not a backup, of a newer version, made with
  // another root key, altered.
  static Result<std::unique_ptr<BackupReader>> open(const std::filesystem::path& file,
                                                    ByteView backup_key);
  // What the header says, without the key; nothing is authentic yet. The same sentences.
  static Result<BackupInfo> read_info(const std::filesystem::path& file);
  ~BackupReader() override;
  BackupReader(const BackupReader&) = delete;
  BackupReader& operator=(const BackupReader&) = delete;

  const BackupInfo& info() const noexcept { return info_; }
  Result<std::size_t> read(MutableBytes out) override;
  // The one sentence for everything that an altered or half-written backup can be.
  Error damaged() const;

 private:
  BackupReader(std::filesystem::path file, int descriptor, const BackupInfo& info,
               StreamOpener opener, Bytes header)
      : file_(std::move(file)),
        descriptor_(descriptor),
        info_(info),
        opener_(std::move(opener)),
        header_(std::move(header)) {}
  Status next_chunk();
  // Of which nothing is checked yet but that its header is one.
  static Result<std::unique_ptr<BackupReader>> open_unchecked(const std::filesystem::path& file,
                                                              std::array<std::uint8_t, 8>& check);

  std::filesystem::path file_;
  int descriptor_;
  BackupInfo info_;
  StreamOpener opener_;
  Bytes header_;
  Bytes sealed_;
  Bytes plain_;
  std::size_t at_ = 0;
  bool last_ = false;
};

// What a backup of this kind is written in.
std::uint16_t backup_format(BackupKind kind) noexcept;
// The header's own fields. Strict; ErrorKind::malformed: not a backup, or of another format
// (`format` then says which, and nothing but the kind is parsed).
struct BackupHeader {
  std::uint16_t format = 0;
  BackupInfo info;
  std::array<std::uint8_t, 8> check{};
  bool is_readable() const noexcept;
  bool is_newer() const noexcept { return format > backup_format(info.kind); }
};
Result<BackupHeader> parse_backup_header(ByteView bytes);

}  // namespace paravent::crypto::vault
