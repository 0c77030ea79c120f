#include "crypto/vault/engine/resolver.h"

#include <iterator>
#include <string>
#include <utility>

#include "crypto/vault/engine/token_row.h"

namespace paravent::crypto::vault {
namespace {

// The blind index values of a batch's jobs. False when a job names a context that is not bound or a
// value that no row can hold.
bool index_jobs(PendingBatch& pending, const LiveContexts& live) {
  const ResolveBatch& batch = *pending.batch;
  pending.index.reserve(batch.jobs.size());
  for (const MintJob& job : batch.jobs) {
    const auto token = live.tokens.find(job.key_id);
    if (token == live.tokens.end() || !live.seals.contains(job.seal_key_id)) return false;
    if (job.begin >= job.end || job.end > batch.values.size() ||
        job.end - job.begin > kMaxVaultValue) {
      return false;
    }
    const auto size = static_cast<std::uint16_t>(job.end - job.begin);
    const std::array<std::uint8_t, 2> lp{static_cast<std::uint8_t>(size >> 8U),
                                         static_cast<std::uint8_t>(size)};
    pending.index.push_back(token->second->index.mac(lp, as_bytes(batch.value(job))));
  }
  return true;
}

bool settled(const std::optional<FoundRow>& found, const MintJob& job, std::uint32_t today,
             const LiveContexts& live) {
  if (!found) return false;
  auto view = decode_token_row(as_bytes(found->row));
  return view && view->row.key_id == job.key_id &&
         note_contact(view->row, live.seals.at(job.seal_key_id)->purpose, today) ==
             Contact::nothing_new;
}

}  // namespace

Resolver::Resolver(TokenStore& store, const LiveContextsCell& live, const Clock& clock)
    : store_(store),
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

void Resolver::submit(std::shared_ptr<ResolveBatch> batch) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    wake = asked_.empty() && refused_.empty();
    if (in_flight_ >= kMaxInFlight) {
      refused_.push_back({std::move(batch), {}, true});
    } else {
      ++in_flight_;
      asked_.push_back({std::move(batch), {}, false});
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
    look_up(round, known, rest, bad);
    round.clear();
    {
      const std::scoped_lock lock(mutex_);
      in_flight_ -= known.size() + bad.size();
      std::move(rest.begin(), rest.end(), std::back_inserter(to_commit_));
    }
    if (!rest.empty()) commit_wakes_.notify_one();
    rest.clear();
    failed_ += bad.size();
    answer(bad, ResolveStatus::sealed);
    answer(known, ResolveStatus::ok);
  }
}

void Resolver::look_up(Queue& round, Queue& known, Queue& rest, Queue& bad) {
  const std::shared_ptr<const LiveContexts> live = live_.load();
  const std::uint32_t today = day_of(clock_.now());
  std::vector<IndexKey> keys;
  for (PendingBatch& pending : round) {
    pending.failed = !index_jobs(pending, *live);
    if (!pending.failed) keys.insert(keys.end(), pending.index.begin(), pending.index.end());
  }
  std::vector<std::optional<FoundRow>> found(keys.size());
  // A store that cannot be read is the commit thread's to report.
  const bool readable = store_.find(keys, found).has_value();
  std::size_t at = 0;
  for (PendingBatch& pending : round) {
    if (pending.failed) {
      bad.push_back(std::move(pending));
      continue;
    }
    bool all = readable;
    for (std::size_t j = 0; j < pending.index.size(); ++j, ++at) {
      MintJob& job = pending.batch->jobs[j];
      all = all && settled(found[at], job, today, *live);
      if (all) job.id = found[at]->id;
    }
    if (all) found_ += pending.index.size();
    (all ? known : rest).push_back(std::move(pending));
  }
}

void Resolver::commit_loop() {
  Committer committer(store_, clock_);
  Queue round;
  Queue good;
  Queue bad;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      commit_wakes_.wait(lock, [this] { return look_up_ended_ || !to_commit_.empty(); });
      if (to_commit_.empty()) return;
      round.swap(to_commit_);
    }
    const CommitReport report = committer.process(round, *live_.load());
    minted_ += report.minted;
    found_ += report.found;
    if (report.wrote) ++commits_;
    if (report.wrote || report.failed) degraded_ = report.failed;
    for (PendingBatch& pending : round) (pending.failed ? bad : good).push_back(std::move(pending));
    {
      const std::scoped_lock lock(mutex_);
      in_flight_ -= round.size();
    }
    round.clear();
    failed_ += bad.size();
    answer(good, ResolveStatus::ok);
    answer(bad, ResolveStatus::store_unavailable);
  }
}

void Resolver::answer(Queue& batches, ResolveStatus status) {
  for (PendingBatch& pending : batches) {
    const std::shared_ptr<ResolveBatch> batch = std::move(pending.batch);
    batch->status = status;
    // Taken out first: done() lets another thread reuse the batch while this call still runs, and
    // it may hold the last reference to what it belongs to.
    const std::function<void()> done = std::exchange(batch->done, nullptr);
    if (done) done();
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
  return out;
}

}  // namespace paravent::crypto::vault
