// SubjectFile: the changes of the subject store on disk, DATA/keys/subjects: appended group by
// group, each group durable when append() returns, and now and then written anew as a whole.
//
// File, mode 0600, big endian, one spelling:
//   head  = "PVTSUBJ1" | u16 format 1 | installation 16 | store 16 | u32 shred secret's number |
//           mac 16
//   group = u32 size | u32 size with every bit turned over | changes (subject_change.h) | mac 16
//   mac   = HMAC-SHA-256(key of class subject_store, mac before | everything of this piece) cut to
//   16
// The macs are a chain from the head on (whose "mac before" is empty), so that no group can be
// altered, moved or left out of the middle. A group that the end of the file cuts short was never
// acknowledged (the process was killed while it wrote) and is cut off when the file is opened;
// anything else that does not fit is an alteration. Whoever can replace the whole file by an older
// copy of itself can do so unseen, but for the shred secret: after a destroy batch no older copy
// opens.
//
// Needs the lock of DataDirectory. Not thread safe: the subject store serialises. Sentences name
// the path. A failed fsync ends the process.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

inline constexpr const char* kSubjectFile = "subjects";  // in DATA/keys
inline constexpr std::size_t kMaxSubjectGroup = std::size_t{1} << 20U;

// `store` is in the key store too: a file that belongs to another one is not taken for this one's.
struct SubjectFileHead {
  Id installation{};
  Id store{};
  std::uint32_t shred_number = 1;  // of the secret that its keys lie under
};

class SubjectFile {
 public:
  // A file of no groups. ErrorKind::data when it exists.
  static Result<std::unique_ptr<SubjectFile>> create(const std::filesystem::path& path,
                                                     const SubjectFileHead& head,
                                                     const SecretBytes& mac_key);
  // Gives the changes of each group to `visitor`, in order; false from it is an alteration.
  // ErrorKind::data, one sentence each: missing, readable by others, altered, of a newer version,
  // of another installation or store.
  static Result<std::unique_ptr<SubjectFile>> open(const std::filesystem::path& path,
                                                   const Id& installation, const Id& store,
                                                   const SecretBytes& mac_key,
                                                   const std::function<bool(ByteView)>& visitor);
  // A new file beside this one, PATH.new, for the whole store under the secret of this number;
  // groups are added to it, and finish_rewrite() puts it in the place of this one. One that is
  // never finished is removed with its object. sync_rewrite: what was added is durable.
  Result<std::unique_ptr<SubjectFile>> begin_rewrite(std::uint32_t shred_number) const;
  void sync_rewrite();
  Status finish_rewrite();
  // After an interruption: leaves in place whichever of the file and its PATH.new has this number,
  // and removes the other one. Does nothing where neither has it; open() then says so.
  static Status settle(const std::filesystem::path& path, std::uint32_t shred_number,
                       const SecretBytes& mac_key);

  ~SubjectFile();
  SubjectFile(const SubjectFile&) = delete;
  SubjectFile& operator=(const SubjectFile&) = delete;

  // Each text becomes one group; durable with `sync`. After a failure nothing of any is in the
  // file. ErrorKind::disk_full, data. REQUIRES: every text has 1 to kMaxSubjectGroup bytes.
  Status append(std::span<const std::string> groups, bool sync = true);

  const SubjectFileHead& head() const noexcept { return head_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  using Mac = std::array<std::uint8_t, 16>;

  SubjectFile(std::filesystem::path path, const SubjectFileHead& head, const SecretBytes& mac_key);
  Mac mac_of(std::string_view piece) const;
  std::string head_text();
  // Of a file that begins as one should; nullopt for any other.
  static std::optional<std::uint32_t> number_of(const std::filesystem::path& path,
                                                const SecretBytes& mac_key);
  Status write_at_end(std::string_view bytes);
  Status read_groups(std::uint64_t file_size, const std::function<bool(ByteView)>& visitor);

  std::filesystem::path path_;
  std::filesystem::path target_;  // of a rewrite: what finish() replaces
  SubjectFileHead head_;
  SecretBytes mac_key_;
  Mac last_{};
  bool chained_ = false;  // last_ is there
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace paravent::crypto::vault
