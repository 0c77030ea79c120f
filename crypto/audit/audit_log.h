// AuditLog: one append-only Merkle log: of a tenant, or of the installation.
//
// append() blocks until a signed checkpoint that covers the entry is synced, either with the log's
// own files or in its journal (JournalPlace). Whoever appends while a commit runs waits for the
// next, which takes everything queued (group commit, committer.h). Full or unwritable disk: an
// Error, nothing acknowledged, and later appends work again. A failed fsync ends the process.
//
// Keeps the signing key and the detail key of the current month in memory: sealing the vault means
// closing its logs. Thread safe. Owns its folder against other processes. Sources: RFC 6962, C2SP
// tlog-tiles and tlog-checkpoint, constructions 4.11; the format is docs/audit-format.md.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/audit_receipt.h"
#include "crypto/audit/checkpoint.h"
#include "crypto/audit/detail.h"
#include "crypto/audit/disk.h"
#include "crypto/audit/journal.h"
#include "crypto/audit/leaf.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kMaxBatch = 10'000;
inline constexpr std::string_view kInstallationLog = "installation";

// Where the `audit.detail` keys of one log come from. Implementations are thread safe.
class DetailKeys {
 public:
  virtual ~DetailKeys() = default;
  // The 32-byte key of the UTC month that holds `time`. An error where it is not available: sealed,
  // or destroyed with its month.
  virtual Result<SecretBytes> detail_key(WallTime time) = 0;
};

struct AuditEntry {
  EventKind event = EventKind::start;
  Outcome outcome = Outcome::done;
  AuditDetail detail;
  // What a receipt of this entry may be used for (reveal: Grant::binding()); not stored.
  std::string binding;
};

// An entry read back.
struct AuditRecord {
  PublicPart open;
  std::string leaf;                   // its 87 bytes: what a proof is about
  std::optional<AuditDetail> detail;  // nullopt: its key is gone
};

// ORIGIN of a log: "paravent.invalid/" installation id "/" log id, both ids in lower hex; the log
// id of a tenant is its own 16 bytes in hex.
std::string audit_origin(std::string_view installation_id_hex, std::string_view log_id);

// Where a log keeps its journal, which costs the disk one sync for each commit instead of six or
// more. There only while the log is open, and after a process that was killed.
struct JournalPlace {
  std::string path;  // empty: no journal. Its folder is made and removed with it
  std::size_t half_bytes = kJournalHalf;
  unsigned after_commits = 16;
};

enum class OpenMode : std::uint8_t { create_if_missing, must_exist };

class AuditLog {
 public:
  // `folder` is named after the log id (the last part of `origin`). `seed`: 32 bytes, Ed25519.
  // `keys` and `clock` must outlive the log. ErrorKind::data: tail and checkpoint do not belong
  // together, or the checkpoint is not this key's; busy: another process writes it.
  static Result<std::unique_ptr<AuditLog>> open(const std::string& folder, std::string origin,
                                                const SecretBytes& seed, DetailKeys& keys,
                                                const Clock& clock,
                                                OpenMode mode = OpenMode::create_if_missing,
                                                JournalPlace journal = {});
  static Result<std::unique_ptr<AuditLog>> open_on(std::shared_ptr<Disk> disk,
                                                   const std::string& folder, std::string origin,
                                                   const SecretBytes& seed, DetailKeys& keys,
                                                   const Clock& clock,
                                                   OpenMode mode = OpenMode::create_if_missing,
                                                   JournalPlace journal = {});
  // REQUIRES: no call is running.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // ErrorKind::usage: a detail beyond its limits (detail.h); disk_full, data: not written; whatever
  // the DetailKeys answered.
  Result<AuditReceipt> append(const AuditEntry& entry);
  // 1 to 10 000 entries, consecutive and durable in one step: all of them or none.
  Result<std::vector<AuditReceipt>> append_batch(std::span<const AuditEntry> entries);
  // Any number, none too, in batches of which each is durable before the next: when one fails,
  // those before it stay.
  Result<std::vector<AuditReceipt>> append_all(std::span<const AuditEntry> entries);

  // With a journal the log's own files may be a tenth of a second behind what was acknowledged:
  // this writes them, for whoever copies them. disk_full, data: they cannot be written.
  Status flush();

  const std::string& log_id() const noexcept;
  const NoteKey& key() const noexcept;
  std::uint64_t size() const;
  // The latest signed checkpoint, as flush() leaves it in its file: whatever looks at the files
  // later, without the journal, finds them as long. As flush().
  Result<std::string> checkpoint_in_files() const;

  // A signed note over a text that is no checkpoint: a certificate of destruction. REQUIRES: it
  // ends in a newline, and its first line is not the log's origin.
  std::string sign(std::string_view text) const;

  // Entries [begin, begin + count), cut at the end, with their details where the key is there.
  Result<std::vector<AuditRecord>> read(std::uint64_t begin, std::size_t count) const;
  Result<std::vector<Hash>> prove_inclusion(std::uint64_t index, std::uint64_t size) const;
  Result<std::vector<Hash>> prove_consistency(std::uint64_t size1, std::uint64_t size2) const;

  // How many durable steps there were, for metrics: entries / commits is the sharing of an fsync.
  std::uint64_t commits() const;

 private:
  struct State;
  explicit AuditLog(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace paravent::crypto::audit
