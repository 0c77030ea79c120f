#include "crypto/audit/audit_log.h"

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>

#include "crypto/audit/entry_sealer.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/log_reader.h"
#include "crypto/audit/recovery.h"

namespace paravent::crypto::audit {

// One append in progress; lives on its caller's stack.
struct AuditLog::Waiter {
  std::span<const AuditEntry> entries;
  std::condition_variable wake;
  bool leads = false;
  bool done = false;
  Status status;
  std::vector<AuditReceipt> receipts;
};

struct AuditLog::State {
  struct Published {
    std::shared_ptr<const Tail> tail;
    std::string checkpoint;
  };

  State(std::shared_ptr<Disk> open_disk, LogFolder open_folder, Ed25519Signer open_signer,
        NoteKey note_key, DetailKeys& detail_keys, const Clock& wall_clock)
      : disk(std::move(open_disk)),
        folder(std::move(open_folder)),
        signer(std::move(open_signer)),
        key(std::move(note_key)),
        log_id(std::make_shared<const std::string>(key.name.substr(key.name.rfind('/') + 1))),
        keys(detail_keys),
        clock(wall_clock),
        sealer(key.name, detail_keys) {}

  Published published_now() const {
    const std::lock_guard lock(publish_mutex);
    return published;
  }

  std::shared_ptr<Disk> disk;
  LogFolder folder;  // used by the leader only
  Ed25519Signer signer;
  NoteKey key;
  std::shared_ptr<const std::string> log_id;
  DetailKeys& keys;
  const Clock& clock;
  EntrySealer sealer;  // used by the leader only

  std::mutex queue_mutex;
  std::deque<Waiter*> queue;
  bool has_leader = false;

  mutable std::mutex publish_mutex;
  Published published;
  std::uint64_t commits = 0;
};

std::string audit_origin(std::string_view installation_id_hex, std::string_view log_id) {
  return std::string("paravent.invalid/").append(installation_id_hex).append("/").append(log_id);
}

AuditLog::AuditLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& folder, std::string origin,
                                                 const SecretBytes& seed, DetailKeys& keys,
                                                 const Clock& clock, OpenMode mode) {
  return open_on(std::make_shared<Disk>(), folder, std::move(origin), seed, keys, clock, mode);
}

Result<std::unique_ptr<AuditLog>> AuditLog::open_on(std::shared_ptr<Disk> disk,
                                                    const std::string& folder, std::string origin,
                                                    const SecretBytes& seed, DetailKeys& keys,
                                                    const Clock& clock, OpenMode mode) {
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
  Result<RecoveredLog> recovered = recover_log(*opened, key);
  if (!recovered) return recovered.error();
  auto state = std::make_unique<State>(std::move(disk), std::move(*opened), std::move(*signer),
                                       std::move(key), keys, clock);
  state->published = {std::make_shared<const Tail>(std::move(recovered->tail)),
                      std::move(recovered->checkpoint)};
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
  Waiter waiter;
  waiter.entries = entries;
  std::vector<Waiter*> group;
  {
    std::unique_lock lock(state_->queue_mutex);
    state_->queue.push_back(&waiter);
    if (!state_->has_leader) state_->has_leader = waiter.leads = true;
    waiter.wake.wait(lock, [&] { return waiter.leads || waiter.done; });
    // A leader stands at the head of the queue, so its own entries are in the group it takes.
    std::size_t taken = 0;
    while (!waiter.done && !state_->queue.empty()) {
      taken += state_->queue.front()->entries.size();
      if (taken > kMaxCommitEntries && !group.empty()) break;
      group.push_back(state_->queue.front());
      state_->queue.pop_front();
    }
  }
  if (!group.empty()) lead(group);
  if (!waiter.status) return waiter.status.error();
  return std::move(waiter.receipts);
}

void AuditLog::lead(std::span<Waiter* const> group) {
  const Status done = commit(group);
  const std::lock_guard lock(state_->queue_mutex);
  for (Waiter* waiter : group) {
    waiter->status = done;
    waiter->done = true;
    waiter->wake.notify_one();  // under the lock: the waiter lives until it has seen `done`
  }
  if (state_->queue.empty()) {
    state_->has_leader = false;
  } else {
    state_->queue.front()->leads = true;
    state_->queue.front()->wake.notify_one();
  }
}

// Everything is prepared on a copy of the tail; only a durable step publishes it.
Status AuditLog::commit(std::span<Waiter* const> group) {
  const State::Published before = state_->published_now();
  auto after = std::make_shared<Tail>(*before.tail);
  std::vector<NewFile> files;
  const WallTime now = state_->clock.now();
  for (Waiter* waiter : group) {
    for (const AuditEntry& entry : waiter->entries) {
      const std::uint64_t index = after->size();
      const Result<SealedEntry> sealed =
          state_->sealer.seal({now, index, entry.event, entry.outcome}, entry.detail);
      if (!sealed) return sealed.error();
      after->append(as_bytes(sealed->bytes), sealed->leaf_hash, files);
      waiter->receipts.push_back(AuditReceipt(state_->log_id, index, entry.event, entry.outcome,
                                              sha256(as_bytes(entry.binding))));
    }
  }
  for (NewFile& file : after->partials_since(before.tail->size())) {
    files.push_back(std::move(file));
  }
  std::string checkpoint =
      sign_checkpoint({state_->key.name, after->size(), after->root(), {}}, state_->signer);
  Status done = state_->folder.commit(files, checkpoint, before.tail->size(), after->size());
  if (!done) return done;  // the receipts made above are dropped with their waiters
  const std::lock_guard lock(state_->publish_mutex);
  state_->published = {std::move(after), std::move(checkpoint)};
  ++state_->commits;
  return {};
}

const std::string& AuditLog::log_id() const noexcept { return *state_->log_id; }

const NoteKey& AuditLog::key() const noexcept { return state_->key; }

std::uint64_t AuditLog::size() const { return state_->published_now().tail->size(); }

std::string AuditLog::checkpoint() const { return state_->published_now().checkpoint; }

std::uint64_t AuditLog::commits() const {
  const std::lock_guard lock(state_->publish_mutex);
  return state_->commits;
}

std::string AuditLog::sign(std::string_view text) const {
  if (!text.ends_with('\n') || text.starts_with(state_->key.name)) std::abort();
  return sign_note(text, state_->key.name, state_->signer);
}

Result<std::vector<AuditRecord>> AuditLog::read(std::uint64_t begin, std::size_t count) const {
  const LogReader reader(state_->folder.path(), state_->published_now().tail);
  const Result<std::vector<Bytes>> entries = reader.entries(begin, count);
  if (!entries) return entries.error();
  EntryOpener opener(state_->key.name, state_->keys);
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
  const LogReader reader(state_->folder.path(), state_->published_now().tail);
  if (size > reader.size()) return Error(ErrorKind::usage, "The size exceeds the log's.");
  return inclusion_proof(index, size, reader);
}

Result<std::vector<Hash>> AuditLog::prove_consistency(std::uint64_t size1,
                                                      std::uint64_t size2) const {
  const LogReader reader(state_->folder.path(), state_->published_now().tail);
  if (size2 > reader.size()) return Error(ErrorKind::usage, "The size exceeds the log's.");
  return consistency_proof(size1, size2, reader);
}

}  // namespace paravent::crypto::audit
