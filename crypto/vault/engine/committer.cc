#include "crypto/vault/engine/committer.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "crypto/vault/engine/token_row.h"

namespace paravent::crypto::vault {
namespace {

struct IndexHash {
  std::size_t operator()(const IndexKey& key) const noexcept {
    // Keyed hash output already: any eight bytes of it are a good hash.
    std::size_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

}  // namespace

// All jobs of a round that ask for one value in one space: they get one token.
struct Committer::Group {
  IndexKey index{};
  std::vector<std::pair<PendingBatch*, MintJob*>> jobs;
  Id id{};
  TokenRow row;
  std::string_view value;   // of the first job; the batch outlives the round
  bool known = false;       // the row was there
  bool must_write = false;  // the answer depends on the write
  bool may_write = false;   // a clock moved on
  bool failed = false;
};

Committer::Committer(TokenStore& store, const Clock& clock) : store_(store), clock_(clock) {}

Committer::~Committer() = default;

CommitReport Committer::process(std::span<PendingBatch> round, const LiveContexts& live) {
  CommitReport report;
  gather(round);
  const std::uint32_t today = day_of(clock_.now());
  if (!look_up(today, live)) {
    report.failed = true;
    for (Group& group : groups_) group.failed = true;
  } else {
    const bool needed = std::any_of(groups_.begin(), groups_.end(), [](const Group& g) {
      return !g.failed && (g.must_write || g.may_write);
    });
    report.wrote = needed && write(live);
    report.failed = needed && !report.wrote;
  }
  for (Group& group : groups_) {
    const bool fails = group.failed || (group.must_write && !report.wrote);
    for (auto& [pending, job] : group.jobs) {
      job->id = group.id;
      if (fails) pending->failed = true;
    }
    if (fails) continue;
    report.minted += group.known ? 0U : 1U;
    report.found += group.jobs.size() - (group.known ? 0U : 1U);
  }
  groups_.clear();
  return report;
}

void Committer::gather(std::span<PendingBatch> round) {
  std::unordered_map<IndexKey, std::size_t, IndexHash> where;
  for (PendingBatch& pending : round) {
    for (std::size_t j = 0; j < pending.batch->jobs.size(); ++j) {
      MintJob& job = pending.batch->jobs[j];
      const auto [it, first] = where.try_emplace(pending.index[j], groups_.size());
      if (first) {
        groups_.emplace_back();
        groups_.back().index = pending.index[j];
        groups_.back().value = pending.batch->value(job);
      }
      groups_[it->second].jobs.emplace_back(&pending, &job);
    }
  }
}

bool Committer::look_up(std::uint32_t today, const LiveContexts& live) {
  std::vector<IndexKey> keys;
  keys.reserve(groups_.size());
  for (const Group& group : groups_) keys.push_back(group.index);
  std::vector<std::optional<FoundRow>> found(keys.size());
  if (!store_.find(keys, found)) return false;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    const MintJob& first = *group.jobs.front().second;
    group.known = found[i].has_value();
    if (group.known) {
      // A row that does not parse is damaged: it is neither answered nor overwritten.
      auto view = decode_token_row(as_bytes(found[i]->row));
      group.failed = !view || view->row.key_id != first.key_id;
      if (group.failed) continue;
      group.id = found[i]->id;
      group.row = std::move(view->row);
    } else {
      group.id = random_id();
      group.row.key_id = first.key_id;
      group.row.seal_key_id = first.seal_key_id;
      group.row.kind = first.kind;
      group.must_write = true;
    }
    group.failed = !prepare(group, today, live);
  }
  return true;
}

bool Committer::prepare(Group& group, std::uint32_t today, const LiveContexts& live) {
  for (const auto& [pending, job] : group.jobs) {
    const auto seal = live.seals.find(job->seal_key_id);
    if (seal == live.seals.end()) return false;
    const Contact contact = note_contact(group.row, seal->second->purpose, today);
    group.must_write = group.must_write || contact == Contact::new_purpose;
    group.may_write = group.may_write || contact == Contact::new_day;
  }
  // A row that is written again is sealed under the current epoch of the purpose it was sealed for,
  // or of this use's purpose when no policy names that one any more.
  const auto current = live.current_seal.find(group.row.seal_key_id);
  group.row.seal_key_id =
      current != live.current_seal.end() ? current->second : group.jobs.front().second->seal_key_id;
  return live.seals.contains(group.row.seal_key_id);
}

bool Committer::write(const LiveContexts& live) {
  std::vector<NewRow> create;
  std::vector<ChangedRow> change;
  std::vector<Group*> created;
  for (Group& group : groups_) {
    if (group.failed || !(group.must_write || group.may_write)) continue;
    const ProtectionKey& key = live.seals.at(group.row.seal_key_id)->key;
    auto row = sealer_.seal(group.row, group.id, key, group.value);
    if (!row) {
      group.failed = true;
    } else if (group.known) {
      change.push_back({group.id, std::move(*row)});
    } else {
      create.push_back({group.index, group.id, std::move(*row), group.row.subject});
      created.push_back(&group);
    }
  }
  if (!store_.commit(create, change)) return false;
  for (std::size_t i = 0; i < created.size(); ++i) created[i]->id = create[i].id;
  return true;
}

}  // namespace paravent::crypto::vault
