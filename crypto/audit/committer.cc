#include "crypto/audit/committer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/audit/checkpoint.h"

namespace paravent::crypto::audit {
namespace {

// So many waiting entries are worth waking the one who prepares before the journal is free.
constexpr std::size_t kWorthWaking = 16;
// How fast lone appends may write the files again, after kAtOnceInARow.
constexpr double kAtOncePerSecond = 3;
constexpr std::chrono::milliseconds kWriteFilesAfter{100};
constexpr std::chrono::seconds kTryAgainAfter{1};

// So many entries may be missing in the log's files while others wait; and so many before these are
// made to wait. With one group more it is no more than an interrupted commit may leave behind.
constexpr std::uint64_t kWriteFilesAt = 2048;
constexpr std::uint64_t kMostUnwritten = 4096;
static_assert(kMostUnwritten + kMaxBatch <= kMaxCommitEntries);

}  // namespace

// One append in progress. Woken without the lock, hence shared with who wakes it.
struct Committer::Waiter {
  enum class Turn : std::uint8_t { waits, leads, done };

  explicit Waiter(std::span<const AuditEntry> from) : entries(from) {}
  void wake(Turn next) {
    const std::lock_guard lock(mutex);
    turn = next;
    changed.notify_one();
  }
  Turn wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return turn != Turn::waits; });
    return turn;
  }

  std::span<const AuditEntry> entries;
  std::mutex mutex;  // guards turn
  std::condition_variable changed;
  Turn turn = Turn::waits;
  Status status;
  std::uint64_t first = 0;
};

struct Committer::Group {
  LogState before;
  std::shared_ptr<Tail> after;
  std::string checkpoint;
  std::string entries;        // framed
  std::vector<NewFile> full;  // the tiles that it completes
  std::vector<std::shared_ptr<Waiter>> waiters;
  std::size_t count = 0;
  Status status;  // of the sealing
  WallTime time;

  bool takes(const Waiter& next) const {
    return waiters.empty() || count + next.entries.size() <= kMaxBatch;
  }
};

namespace {

// The beginning of a half: what has come since the last full tile.
JournalStep base_of(const LogState& log) {
  const std::uint64_t size = log.tail->size();
  return {size - size % kTileWidth, size, log.checkpoint, log.tail->bundle()};
}

void append_partials(std::vector<NewFile>& files, const Tail& tail, std::uint64_t old_size) {
  for (NewFile& file : tail.partials_since(old_size)) files.push_back(std::move(file));
}

}  // namespace

Committer::Committer(Parts parts, LogState log)
    : parts_(std::move(parts)),
      sealer_(parts_.key.name, parts_.keys),
      background_(*parts_.disk, parts_.folder.path()),
      prepared_(log),
      published_{std::move(log)},
      in_folder_(prepared_.tail->size()) {}

Committer::~Committer() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
  lock.unlock();
  if (writer_.joinable()) writer_.join();
  lock.lock();
  if (!journal_ || !write_all_files(lock)) return;
  background_.wait();
  if (parts_.folder.sync(left_, in_folder_)) journal_->remove();
}

Status Committer::flush() {
  std::unique_lock lock(mutex_);
  return write_all_files(lock);
}

PublishedLog Committer::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

std::uint64_t Committer::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

Result<std::uint64_t> Committer::append(std::span<const AuditEntry> entries) {
  const auto waiter = std::make_shared<Waiter>(entries);
  std::unique_lock lock(mutex_);
  queue_.push_back(waiter);
  queued_entries_ += entries.size();
  if (has_leader_) {
    if (queued_entries_ >= kWorthWaking) changed_.notify_all();
    lock.unlock();
    if (waiter->wait() == Waiter::Turn::leads) lock.lock();
  } else {
    has_leader_ = true;
  }
  // A leader stands at the head of the queue, so its own entries are in the group it takes.
  if (lock.owns_lock()) lead(lock);
  if (!waiter->status) return waiter->status.error();
  return waiter->first;
}

void Committer::lead(std::unique_lock<std::mutex>& lock) {
  Group group;
  prepare(group, lock);
  Status done = group.status;
  if (done) {
    done = write(group, lock);
  } else {
    hand_over();
  }
  lock.unlock();
  for (const auto& waiter : group.waiters) {
    waiter->status = done;
    waiter->wake(Waiter::Turn::done);
  }
  lock.lock();
  if (done) write_files_if_due(lock);
}

// Leaves with the journal taken, unless the sealing failed.
void Committer::prepare(Group& group, std::unique_lock<std::mutex>& lock) {
  group.before = prepared_;
  group.after = std::make_shared<Tail>(*group.before.tail);
  group.time = parts_.clock.now();
  const auto is_free = [&] {
    return !journal_busy_ && (unwritten_entries() < kMostUnwritten || !files_status_);
  };
  for (;;) {
    while (!queue_.empty() && group.status && group.takes(*queue_.front())) {
      const std::shared_ptr<Waiter> next = std::move(queue_.front());
      queue_.pop_front();
      queued_entries_ -= next->entries.size();
      group.waiters.push_back(next);
      group.count += next->entries.size();
      lock.unlock();
      seal(group, *next);
      lock.lock();
    }
    if (!group.status) return;
    if (is_free()) break;
    changed_.wait(lock, [&] {
      return is_free() || (queued_entries_ >= kWorthWaking && group.takes(*queue_.front()));
    });
  }
  journal_busy_ = true;
}

void Committer::seal(Group& group, Waiter& waiter) {
  waiter.first = group.after->size();
  for (const AuditEntry& entry : waiter.entries) {
    const Result<SealedEntry> sealed =
        sealer_.seal({group.time, group.after->size(), entry.event, entry.outcome}, entry.detail);
    if (!sealed) {
      group.status = sealed.error();
      return;
    }
    append_lp(group.entries, sealed->bytes);
    group.after->append(as_bytes(sealed->bytes), sealed->leaf_hash, group.full);
  }
}

void Committer::close(Group& group) {
  group.checkpoint = sign_checkpoint(
      {parts_.key.name, group.after->size(), group.after->root(), {}}, parts_.signer);
}

void Committer::hand_over() {
  has_leader_ = !queue_.empty();
  if (!has_leader_) return;
  queue_.front()->wake(Waiter::Turn::leads);
}

// REQUIRES: the journal is taken; it is free afterwards.
Status Committer::write(Group& group, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  close(group);
  lock.lock();
  const bool stands = group.before.tail == prepared_.tail;
  if (stands) prepared_ = {group.after, group.checkpoint};
  hand_over();
  Status done = last_failure_;
  if (stands) {
    done = journal_ ? write_journal(group, lock) : write_without(group, lock);
    if (done) {
      show(group, in_folder_ == group.after->size());
    } else {
      // Who prepares on top of it has no ground any more.
      last_failure_ = done.error();
      prepared_ = group.before;
    }
  }
  journal_busy_ = false;
  changed_.notify_all();
  return done;
}

Status Committer::write_journal(const Group& group, std::unique_lock<std::mutex>& lock) {
  if (!files_status_) {
    if (Status done = write_all_files(lock); !done) return done;
  }
  const JournalStep step{group.before.tail->size(), group.after->size(), group.checkpoint,
                         group.entries};
  const JournalStep base = base_of(group.before);
  const Journal::Room room = journal_->room(step, base);
  if (room == Journal::Room::here) {
    lock.unlock();
    const Status done = journal_->append(step);
    lock.lock();
    return done;
  }
  // The current half is done with when the log's own files are durable.
  if (Status done = write_all_files(lock); !done) return done;
  if (room == Journal::Room::none) return write_without(group, lock);
  files_busy_ = true;
  lock.unlock();
  background_.wait();
  const Status done = journal_->append_in_next_half(base, step);
  if (done) background_.start(std::exchange(left_, {}));
  lock.lock();
  files_busy_ = false;
  return done;
}

// REQUIRES: all before it is in the log's files, and nobody writes them.
Status Committer::write_without(const Group& group, std::unique_lock<std::mutex>& lock) {
  files_busy_ = true;
  lock.unlock();
  const std::uint64_t old_size = group.before.tail->size();
  std::vector<NewFile> files = group.full;
  append_partials(files, *group.after, old_size);
  Status done;
  if (journal_) {
    background_.wait();
    done = parts_.folder.sync(left_, old_size);
    if (done) left_ = {};
  }
  if (done) {
    done = parts_.folder.commit(files, group.checkpoint, old_size, group.after->size());
  }
  if (done) begin_journal({group.after, group.checkpoint});
  lock.lock();
  files_busy_ = false;
  if (done) in_folder_ = group.after->size();
  return done;
}

// REQUIRES: all is durable in the log's files.
void Committer::begin_journal(const LogState& log) {
  if (journal_) {
    if (journal_->restart(base_of(log))) return;
    journal_->remove();
    journal_.reset();
  }
  if (parts_.journal.path.empty() || ++commits_without_ <= parts_.journal.after_commits) return;
  commits_without_ = 0;  // where it cannot be made, it is tried again later
  auto made =
      Journal::create(*parts_.disk, parts_.journal.path, parts_.journal.half_bytes, base_of(log));
  if (!made) return;
  journal_.emplace(std::move(*made));
  if (!writer_.joinable()) writer_ = std::thread([this] { write_files_in_time(); });
}

void Committer::show(Group& group, bool in_folder) {
  published_.log = {group.after, group.checkpoint};
  ++commits_;
  if (in_folder || group.full.empty()) return;
  auto unwritten = std::make_shared<UnwrittenTiles>(*published_.unwritten);
  for (NewFile& file : group.full) {
    unwritten->push_back(std::make_shared<const NewFile>(std::move(file)));
  }
  published_.unwritten = std::move(unwritten);
}

std::uint64_t Committer::unwritten_entries() const {
  return published_.log.tail->size() - in_folder_;
}

bool Committer::may_write_at_once() {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - files_written_at_;
  const double left = std::min(kAtOnceInARow, at_once_left_ + since.count() * kAtOncePerSecond);
  if (left < 1) return false;
  at_once_left_ = left - 1;
  return true;
}

void Committer::write_files_if_due(std::unique_lock<std::mutex>& lock) {
  while (unwritten_entries() != 0 && files_status_) {
    const bool many = unwritten_entries() >= kWriteFilesAt;
    const bool alone = !has_leader_ && !journal_busy_;
    if (files_busy_ && alone) {
      changed_.wait(lock, [&] { return !files_busy_; });
    } else if (files_busy_ || !(many || (alone && may_write_at_once()))) {
      changed_.notify_all();  // the thread's business
      return;
    } else if (!write_files(lock)) {
      return;
    }
  }
}

void Committer::write_files_in_time() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || unwritten_entries() != 0; });
    if (ending_) return;
    const bool failed = !files_status_;
    const auto due = files_written_at_ + (failed ? kTryAgainAfter : kWriteFilesAfter);
    if (changed_.wait_until(lock, due, [&] { return ending_; })) return;
    changed_.wait(lock, [&] { return !files_busy_; });
    if (unwritten_entries() != 0) static_cast<void>(write_files(lock));  // appends are told
  }
}

// Until nothing is missing of what is published now.
Status Committer::write_all_files(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return !files_busy_; });
  return unwritten_entries() == 0 ? Status() : write_files(lock);
}

Status Committer::write_files(std::unique_lock<std::mutex>& lock) {
  files_busy_ = true;
  const PublishedLog target = published_;
  const std::uint64_t old_size = in_folder_;
  lock.unlock();
  std::vector<NewFile> files;
  for (const auto& file : *target.unwritten) files.push_back(*file);
  append_partials(files, *target.log.tail, old_size);
  const Status done =
      parts_.folder.apply(files, target.log.checkpoint, old_size, target.log.tail->size(), left_);
  lock.lock();
  files_busy_ = false;
  files_status_ = done;
  files_written_at_ = std::chrono::steady_clock::now();
  if (done) {
    in_folder_ = target.log.tail->size();
    const auto written = static_cast<std::ptrdiff_t>(target.unwritten->size());
    published_.unwritten = std::make_shared<const UnwrittenTiles>(
        published_.unwritten->begin() + written, published_.unwritten->end());
  }
  changed_.notify_all();
  return done;
}

}  // namespace paravent::crypto::audit
