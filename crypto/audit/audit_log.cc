#include "crypto/audit/audit_log.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "crypto/audit/committer.h"
#include "crypto/audit/entry_sealer.h"
#include "crypto/audit/journal_replay.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/log_reader.h"

namespace paravent::crypto::audit {

struct AuditLog::State {
  State(Committer::Parts parts, LogState log)
      : committer(std::move(parts), std::move(log)),
        log_id(std::make_shared<const std::string>(
            committer.key().name.substr(committer.key().name.rfind('/') + 1))) {}

  Committer committer;
  std::shared_ptr<const std::string> log_id;
};

std::string audit_origin(std::string_view installation_id_hex, std::string_view log_id) {
  return std::string("paravent.invalid/").append(installation_id_hex).append("/").append(log_id);
}

AuditLog::AuditLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& folder, std::string origin,
                                                 const SecretBytes& seed, DetailKeys& keys,
                                                 const Clock& clock, OpenMode mode,
                                                 JournalPlace journal) {
  return open_on(std::make_shared<Disk>(), folder, std::move(origin), seed, keys, clock, mode,
                 std::move(journal));
}

Result<std::unique_ptr<AuditLog>> AuditLog::open_on(std::shared_ptr<Disk> disk,
                                                    const std::string& folder, std::string origin,
                                                    const SecretBytes& seed, DetailKeys& keys,
                                                    const Clock& clock, OpenMode mode,
                                                    JournalPlace journal) {
  const std::string_view log_id = std::string_view(origin).substr(origin.rfind('/') + 1);
  const std::string_view name = std::string_view(folder).substr(folder.rfind('/') + 1);
  if (!valid_note_name(origin) || name != log_id || log_id.empty()) {
    return Error(ErrorKind::usage, "An audit folder is named after the last part of its origin.");
  }
  Result<Ed25519Signer> signer = Ed25519Signer::create(seed);
  if (!signer) return signer.error();
  NoteKey key{std::move(origin), signer->public_key()};
  const std::string empty = sign_checkpoint({key.name, 0, empty_root(), {}}, *signer);
  Result<LogFolder> opened =
      LogFolder::open(folder, *disk, key.text() + "\n", empty, mode == OpenMode::create_if_missing);
  if (!opened) return opened.error();
  Result<RecoveredLog> recovered = recover_with_journal(*opened, *disk, key, journal.path);
  if (!recovered) return recovered.error();
  LogState log{std::make_shared<const Tail>(std::move(recovered->tail)),
               std::move(recovered->checkpoint)};
  auto state = std::make_unique<State>(
      Committer::Parts{std::move(disk), std::move(*opened), std::move(*signer), std::move(key),
                       keys, clock, std::move(journal)},
      std::move(log));
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(state)));
}

Result<AuditReceipt> AuditLog::append(const AuditEntry& entry) {
  Result<std::vector<AuditReceipt>> receipts = append_batch({&entry, 1});
  if (!receipts) return receipts.error();
  return std::move(receipts->front());
}

Result<std::vector<AuditReceipt>> AuditLog::append_batch(std::span<const AuditEntry> entries) {
  if (entries.empty() || entries.size() > kMaxBatch) {
    return Error(ErrorKind::usage, "An audit batch holds 1 to 10000 entries.");
  }
  for (const AuditEntry& entry : entries) {
    if (Status checked = check_detail(entry.detail); !checked) return checked.error();
  }
  const Result<std::uint64_t> first = state_->committer.append(entries);
  if (!first) return first.error();
  std::vector<AuditReceipt> receipts;
  receipts.reserve(entries.size());
  for (const AuditEntry& entry : entries) {
    receipts.push_back(AuditReceipt(state_->log_id, *first + receipts.size(), entry.event,
                                    entry.outcome, sha256(as_bytes(entry.binding))));
  }
  return receipts;
}

Result<std::vector<AuditReceipt>> AuditLog::append_all(std::span<const AuditEntry> entries) {
  std::vector<AuditReceipt> receipts;
  receipts.reserve(entries.size());
  for (std::size_t at = 0; at < entries.size(); at += kMaxBatch) {
    auto some = append_batch(entries.subspan(at, std::min(kMaxBatch, entries.size() - at)));
    if (!some) return some.error();
    std::move(some->begin(), some->end(), std::back_inserter(receipts));
  }
  return receipts;
}

Status AuditLog::flush() { return state_->committer.flush(); }

const std::string& AuditLog::log_id() const noexcept { return *state_->log_id; }

const NoteKey& AuditLog::key() const noexcept { return state_->committer.key(); }

std::uint64_t AuditLog::size() const { return state_->committer.published().log.tail->size(); }

std::uint64_t AuditLog::commits() const { return state_->committer.commits(); }

Result<std::string> AuditLog::checkpoint_in_files() const {
  if (Status done = state_->committer.flush(); !done) return done.error();
  const Result<Bytes> bytes =
      read_whole(state_->committer.path() + "/" + kCheckpointFile, kMaxNoteSize);
  if (!bytes) return bytes.error();
  return std::string(as_text(*bytes));
}

std::string AuditLog::sign(std::string_view text) const {
  if (!text.ends_with('\n') || text.starts_with(state_->committer.key().name)) std::abort();
  return sign_note(text, state_->committer.key().name, state_->committer.signer());
}

Result<std::vector<AuditRecord>> AuditLog::read(std::uint64_t begin, std::size_t count) const {
  const PublishedLog now = state_->committer.published();
  const LogReader reader(state_->committer.path(), now.log.tail, now.unwritten);
  const Result<std::vector<Bytes>> entries = reader.entries(begin, count);
  if (!entries) return entries.error();
  EntryOpener opener(state_->committer.key().name, state_->committer.keys());
  std::vector<AuditRecord> records;
  records.reserve(entries->size());
  for (const Bytes& entry : *entries) {
    Result<AuditRecord> record = opener.open(begin + records.size(), entry);
    if (!record) return record.error();
    records.push_back(std::move(*record));
  }
  return records;
}

Result<std::vector<Hash>> AuditLog::prove_inclusion(std::uint64_t index, std::uint64_t size) const {
  const PublishedLog now = state_->committer.published();
  const LogReader reader(state_->committer.path(), now.log.tail, now.unwritten);
  if (size > reader.size()) return Error(ErrorKind::usage, "The size exceeds the log's.");
  return inclusion_proof(index, size, reader);
}

Result<std::vector<Hash>> AuditLog::prove_consistency(std::uint64_t size1,
                                                      std::uint64_t size2) const {
  const PublishedLog now = state_->committer.published();
  const LogReader reader(state_->committer.path(), now.log.tail, now.unwritten);
  if (size2 > reader.size()) return Error(ErrorKind::usage, "The size exceeds the log's.");
  return consistency_proof(size1, size2, reader);
}

}  // namespace paravent::crypto::audit
