#include "crypto/vault/engine/vault/resolver.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "crypto/base/out_of_memory.h"
#include "crypto/vault/engine/rows/row_facts.h"
#include "crypto/vault/engine/vault/index_jobs.h"

namespace paravent::crypto::vault {
namespace {

// What is to be had before a round is begun, so that its reads and its write, which are not left in
// the midst, find enough: for itself, and for each of its jobs.
constexpr std::size_t kRoundHeadroom = std::size_t{4} << 20U;
constexpr std::size_t kLookUpHeadroom = 512;
constexpr std::size_t kCommitHeadroom = 2048;

std::size_t headroom_for(std::span<const PendingBatch> round, std::size_t for_each) {
  std::size_t bytes = kRoundHeadroom;
  for (const PendingBatch& pending : round) {
    const ResolveBatch& batch = *pending.batch;
    bytes += (batch.jobs.size() + batch.confirms.size()) * for_each + 4 * batch.values.size();
  }
  return bytes;
}

// A new token each time, a text that only the store knows, or a question whether it is there.
bool is_never_known(const MintJob& job) {
  return job.scope == Scope::request || has_own_text(job.shape) || job.only_new;
}

KnownTokens::Key known_key(const MintJob& job, const IndexKey& index, const LiveContexts& live,
                           std::uint32_t today) {
  const LiveSeal& seal = live.seals.at(job.seal_key_id);
  return {index, seal.purpose, job.key_id, use_number(seal, today)};
}

// Whether every shaped text that the batch asks for is already its row's; then they are filled in.
// REQUIRES: the ids are.
bool names_settled(TokenStore& store, ResolveBatch& batch, const LiveContexts& live) {
  std::vector<ShapedName> names;
  std::vector<MintJob*> jobs;
  for (MintJob& job : batch.jobs) {
    if (!has_own_text(job.shape)) continue;
    names.emplace_back();
    names.back().key = &live.tokens.at(job.key_id)->shapes;
    names.back().shape = job.shape;
    names.back().length = job.length;
    names.back().id = job.id;
    jobs.push_back(&job);
  }
  if (names.empty()) return true;
  std::set<AliasKey> claimed;
  if (!search_names(store, names, claimed)) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].state != NameState::ours) return false;
    names[i].give(*jobs[i]);
  }
  return true;
}

// Whether the batch's jobs can be looked up: whose values they are is settled.
bool is_open(const PendingBatch& pending) {
  return !pending.subject || (pending.subject->settled && !pending.subject->stopped);
}

bool asks_anew(const ResolveBatch& batch) {
  return std::any_of(batch.jobs.begin(), batch.jobs.end(),
                     [](const MintJob& job) { return job.scope == Scope::request; });
}

// Whether the row holds the value for this purpose under the keys that this request would use.
bool bound_settled(const FoundFacts& found, const MintJob& job, const SubjectSeal& subject,
                   const LiveContexts& live) {
  const auto row = decode_bound_facts(as_bytes(found.facts));
  if (!row || row->key_id != job.key_id) return false;
  const Id& purpose = live.seals.at(job.seal_key_id).purpose;
  const BoundCopy* copy = copy_for(*row, purpose);
  return copy != nullptr && copy->seal_key_id == job.seal_key_id &&
         copy->mark == handle_mark(subject.handle, found.id, purpose);
}

// Whether the row is a token's of this context, under a key that still opens.
bool is_live_row(const std::optional<std::string>& facts, std::uint32_t key_id,
                 const LiveContexts& live) {
  if (!facts) return false;
  const ByteView bytes = as_bytes(*facts);
  if (row_schema(bytes) == kBoundRowSchema) {
    const auto bound = decode_bound_facts(bytes);
    return bound && bound->key_id == key_id &&
           std::any_of(bound->copies.begin(), bound->copies.end(), [&](const BoundCopy& copy) {
             return live.current_seal.contains(copy.seal_key_id);
           });
  }
  const auto row = decode_token_facts(bytes);
  return row && row->key_id == key_id && live.current_seal.contains(row->seal_key_id);
}

bool settled(const std::optional<FoundFacts>& found, const MintJob& job, const ResolveBatch& batch,
             std::uint32_t today, const LiveContexts& live) {
  if (!found) return false;
  if (live.tokens.at(job.key_id)->bound) {
    return bound_settled(*found, job, batch.subject->seal, live);
  }
  const LiveSeal& seal = live.seals.at(job.seal_key_id);
  const auto facts = read_contact(as_bytes(found->facts), seal.purpose, today);
  if (!facts || facts->key_id != job.key_id) return false;
  const auto current = live.current_seal.find(facts->seal_key_id);
  return current != live.current_seal.end() && current->second == facts->seal_key_id &&
         (facts->contact == Contact::nothing_new ||
          (facts->contact == Contact::new_day && !seal.noted_daily));
}

}  // namespace

Resolver::Resolver(CachingTokenStore& store, SubjectStore& subjects, const LiveContextsCell& live,
                   const Clock& clock)
    : store_(store),
      subjects_(subjects),
      live_(live),
      clock_(clock),
      look_up_thread_([this] { look_up_loop(); }),
      commit_thread_([this] { commit_loop(); }) {}

Resolver::~Resolver() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  look_up_wakes_.notify_one();
  look_up_thread_.join();
  {
    const std::scoped_lock lock(mutex_);
    look_up_ended_ = true;
  }
  commit_wakes_.notify_one();
  commit_thread_.join();
}

bool Resolver::answer_known(ResolveBatch& batch) {
  const std::shared_ptr<const LiveContexts> live = live_.load();
  const std::uint32_t today = day_of(clock_.now());
  // What a subject's state says is for the threads to look up.
  if (batch.subject || !batch.confirms.empty()) return false;
  // A handful at a time, so that what is read for them comes near while the next is hashed.
  constexpr std::size_t kSideBySide = 8;
  std::array<IndexKey, kSideBySide> index;
  for (std::size_t at = 0; at < batch.jobs.size(); at += kSideBySide) {
    const auto jobs =
        std::span(batch.jobs).subspan(at, std::min(kSideBySide, batch.jobs.size() - at));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (is_never_known(jobs[i])) return false;
      const LiveToken* token = token_of(batch, jobs[i], *live);
      if (token == nullptr || token->bound) return false;
      index[i] = index_of(*token, jobs[i].scope_id, kNoId, batch.value(jobs[i]));
      store_.known().expect(index[i]);
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto id = store_.known().find(known_key(jobs[i], index[i], *live, today));
      if (!id) {
        known_misses_.add(1);
        return false;
      }
      jobs[i].id = *id;
    }
  }
  known_hits_.add(batch.jobs.size());
  batch.status = ResolveStatus::ok;
  return true;
}

void Resolver::remember(const PendingBatch& pending, const LiveContexts& live, std::uint32_t today,
                        std::uint64_t generation) {
  if (pending.batch->subject) return;
  const std::vector<MintJob>& jobs = pending.batch->jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (is_never_known(jobs[i])) continue;
    store_.known().add(known_key(jobs[i], pending.index[i], live, today), jobs[i].id, generation,
                       today);
  }
}

void Resolver::submit(std::shared_ptr<ResolveBatch> batch) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    wake = asked_.empty() && refused_.empty();
    if (in_flight_ >= kMaxInFlight) {
      refused_.push_back({.batch = std::move(batch), .failed = true});
    } else {
      asked_.push_back({.batch = std::move(batch)});
      ++in_flight_;
    }
  }
  if (wake) look_up_wakes_.notify_one();
}

void Resolver::look_up_loop() {
  Queue round;
  Queue refused;
  Queue known;
  Queue rest;
  Queue bad;
  Queue lost;
  Queue kept;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      look_up_wakes_.wait(lock,
                          [this] { return stopping_ || !asked_.empty() || !refused_.empty(); });
      if (asked_.empty() && refused_.empty()) return;
      round.swap(asked_);
      refused.swap(refused_);
    }
    overloaded_ += refused.size();
    answer(refused, ResolveStatus::overloaded);
    const std::size_t asked = round.size();
    bool wake = false;
    const bool looked_up =
        has_memory_for(headroom_for(round, kLookUpHeadroom)) && with_memory([&] {
          confirm(round, kept, known, lost);
          look_up(round, known, rest, bad);
          const std::scoped_lock lock(mutex_);
          to_commit_.insert(to_commit_.end(), std::make_move_iterator(rest.begin()),
                            std::make_move_iterator(rest.end()));
          in_flight_ -= known.size() + bad.size() + lost.size();
          wake = !rest.empty() && to_commit_.size() >= wake_at_;
        });
    if (!looked_up) {
      give_up({&round, &kept, &known, &rest, &bad, &lost}, asked);
      continue;
    }
    round.clear();
    if (wake) commit_wakes_.notify_one();
    rest.clear();
    failed_ += bad.size() + lost.size();
    answer(bad, ResolveStatus::sealed);
    answer(lost, ResolveStatus::store_unavailable);
    answer(known, ResolveStatus::ok);
  }
}

// There is no memory for a round of `asked` batches. Wherever they are by now, none is answered by
// halves.
void Resolver::give_up(std::initializer_list<Queue*> queues, std::size_t asked) {
  {
    const std::scoped_lock lock(mutex_);
    in_flight_ -= asked;
  }
  failed_ += asked;
  for (Queue* const queue : queues) answer(*queue, ResolveStatus::store_unavailable);
}

void Resolver::confirm(Queue& round, Queue& kept, Queue& known, Queue& lost) {
  std::vector<Id> ids;
  for (const PendingBatch& pending : round) {
    for (const ConfirmJob& job : pending.batch->confirms) ids.push_back(job.id);
  }
  if (ids.empty()) return;
  std::vector<std::optional<std::string>> rows(ids.size());
  const bool readable = store_.facts(ids, rows).has_value();
  const std::shared_ptr<const LiveContexts> live = live_.load();
  std::size_t at = 0;
  for (PendingBatch& pending : round) {
    bool all = true;
    for (ConfirmJob& job : pending.batch->confirms) {
      job.known = readable && job.token_key_id == job.key_id && live->tokens.contains(job.key_id) &&
                  is_live_row(rows[at], job.key_id, *live);
      all = all && job.known;
      ++at;
    }
    const bool asked = !pending.batch->confirms.empty();
    (asked && !readable ? lost : all ? kept : known).push_back(std::move(pending));
  }
  round.swap(kept);
  kept.clear();
}

void Resolver::look_up(Queue& round, Queue& known, Queue& rest, Queue& bad) {
  // First: whatever is withdrawn after this, what is judged by the keys of before is not
  // remembered.
  const std::uint64_t generation = store_.known().generation();
  const std::shared_ptr<const LiveContexts> live = live_.load();
  const std::uint32_t today = day_of(clock_.now());
  std::vector<IndexKey> keys;
  for (PendingBatch& pending : round) {
    if (pending.batch->subject) {
      pending.subject = SubjectDesk(subjects_).look(*pending.batch, *live, today);
      pending.failed = pending.subject->failed;
    }
    if (!pending.failed && is_open(pending)) pending.failed = !index_jobs(pending, *live);
    if (!pending.failed && is_open(pending) && !asks_anew(*pending.batch)) {
      keys.insert(keys.end(), pending.index.begin(), pending.index.end());
      // What is found will be remembered.
      for (const IndexKey& index : pending.index) store_.known().expect_to_add(index);
    }
  }
  std::vector<std::optional<FoundFacts>> found(keys.size());
  // A store that cannot be read is the commit thread's to report.
  const bool readable = store_.find(keys, found).has_value();
  std::size_t at = 0;
  for (PendingBatch& pending : round) {
    if (pending.failed) {
      bad.push_back(std::move(pending));
      continue;
    }
    if (pending.subject && pending.subject->stopped) {
      known.push_back(std::move(pending));
      continue;
    }
    if (!is_open(pending) || asks_anew(*pending.batch)) {
      rest.push_back(std::move(pending));
      continue;
    }
    bool all = readable;
    for (std::size_t j = 0; j < pending.index.size(); ++j, ++at) {
      MintJob& job = pending.batch->jobs[j];
      all = all && settled(found[at], job, *pending.batch, today, *live);
      if (all) job.id = found[at]->id;
    }
    all = all && names_settled(store_, *pending.batch, *live);
    if (all) {
      found_ += pending.index.size();
      remember(pending, *live, today, generation);
    }
    (all ? known : rest).push_back(std::move(pending));
  }
}

void Resolver::next_round(Queue& round, CrowdWait& crowd) {
  const auto patience = crowd.patience();
  std::unique_lock lock(mutex_);
  const auto since = std::chrono::steady_clock::now();
  commit_wakes_.wait(lock, [this] { return look_up_ended_ || !to_commit_.empty(); });
  // Who comes back at once comes back with the others; after a pause there are no others.
  const bool crowded = std::chrono::steady_clock::now() - since <= patience;
  if (crowded && to_commit_.size() < crowd.size() && !look_up_ended_) {
    wake_at_ = crowd.size();
    crowd.ended(commit_wakes_.wait_for(
        lock, patience, [this] { return look_up_ended_ || to_commit_.size() >= wake_at_; }));
    wake_at_ = 1;
  }
  round.swap(to_commit_);
}

void Resolver::commit_loop() {
  Committer committer(store_, subjects_, clock_);
  Queue round;
  Queue good;
  Queue bad;
  CrowdWait crowd;
  for (;;) {
    next_round(round, crowd);
    if (round.empty()) return;
    if (!has_memory_for(headroom_for(round, kCommitHeadroom))) {
      give_up({&round}, round.size());
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock in_round(round_mutex_);
    SubjectStore::WriterLock writers = committer.lock_for(round);
    const std::uint64_t generation = store_.known().generation();
    // Taken under the locks: keys that moved meanwhile have moved in it too.
    const std::shared_ptr<const LiveContexts> live = live_.load();
    const std::uint32_t today = day_of(clock_.now());
    CommitReport report;
    const bool processed = with_memory([&] {
      good.reserve(round.size());
      bad.reserve(round.size());
      report = committer.process(round, *live, writers);
    });
    if (writers.owns_lock()) writers.unlock();
    in_round.unlock();
    if (!processed) {
      committer.clear();
      give_up({&round}, round.size());
      continue;
    }
    minted_ += report.minted;
    found_ += report.found;
    if (report.wrote) ++commits_;
    if (report.wrote || report.failed) degraded_ = report.failed;
    for (const PendingBatch& pending : round) {
      for (const IndexKey& index : pending.index) store_.known().expect_to_add(index);
    }
    for (PendingBatch& pending : round) {
      // After a failed write the row's clock may not have moved on: that is to be tried again.
      if (!pending.failed && !report.failed) remember(pending, *live, today, generation);
      (pending.failed ? bad : good).push_back(std::move(pending));
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    {
      const std::scoped_lock lock(mutex_);
      in_flight_ -= round.size();
      crowd.wrote(took, round.size() + to_commit_.size());
    }
    round.clear();
    failed_ += bad.size();
    answer(good, ResolveStatus::ok);
    answer(bad, ResolveStatus::store_unavailable);
  }
}

void Resolver::pass_round() { const std::scoped_lock lock(round_mutex_); }

void Resolver::answer(Queue& batches, ResolveStatus status) {
  for (PendingBatch& pending : batches) {
    const std::shared_ptr<ResolveBatch> batch = std::move(pending.batch);
    if (!batch) continue;
    batch->status = status;
    // Taken out first: done() lets another thread reuse the batch while this call still runs, and
    // it may hold the last reference to what it belongs to.
    const std::function<void()> done = std::exchange(batch->done, nullptr);
    // Who cannot be told waits until the request's own deadline.
    if (done) with_memory(done);
  }
  batches.clear();
}

VaultCounters Resolver::counters() const {
  VaultCounters out;
  out.minted = minted_;
  out.found = found_;
  out.commits = commits_;
  out.failed_batches = failed_;
  out.overloaded_batches = overloaded_;
  out.degraded = degraded_;
  out.known_hits = known_hits_.sum();
  out.known_misses = known_misses_.sum();
  {
    const std::scoped_lock lock(mutex_);
    out.pending = in_flight_;
  }
  return out;
}

}  // namespace paravent::crypto::vault
