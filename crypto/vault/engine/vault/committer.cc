#include "crypto/vault/engine/vault/committer.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

#include "crypto/vault/engine/rows/row_facts.h"
#include "crypto/vault/engine/vault/index_jobs.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kNoName = static_cast<std::size_t>(-1);
constexpr int kMaxTurns = 16;

struct IndexHash {
  std::size_t operator()(const IndexKey& key) const noexcept {
    // Keyed hash output already: any eight bytes of it are a good hash.
    std::size_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

// Whether every key that the row lies under is destroyed.
bool has_ended(const FoundFacts& found, const LiveContexts& live) {
  if (live.ended_seals.empty()) return false;
  const auto ended = [&](std::uint32_t seal) { return live.ended_seals.contains(seal); };
  if (row_schema(as_bytes(found.facts)) != kBoundRowSchema) {
    const auto row = decode_token_facts(as_bytes(found.facts));
    return row && ended(row->seal_key_id);
  }
  const auto row = decode_bound_facts(as_bytes(found.facts));
  return row && std::all_of(row->copies.begin(), row->copies.end(),
                            [&](const BoundCopy& copy) { return ended(copy.seal_key_id); });
}

}  // namespace

// All jobs of a round that ask for one value in one space (and scope): they get one token.
struct Committer::Group {
  struct Want {
    PendingBatch* pending;
    MintJob* job;
    std::size_t name;  // kNoName, or which of names_
  };

  // A copy of a bound row that is to be sealed, and under whose key.
  struct Copy {
    Id purpose{};
    const SubjectSeal* subject;
  };

  IndexKey index{};
  std::optional<IndexKey> before;  // while the index moves
  std::vector<Want> wants;
  Id id{};
  std::string facts;  // of the row as it was read, where it was known
  TokenRow row;
  bool bound = false;  // its row is bound_row, not row
  BoundRow bound_row;
  std::vector<Copy> copies;  // of bound_row, to be sealed
  Id subject{};
  std::string_view value;   // of the first job; the batch outlives the round
  ScopeId scope_id{};       // of the first job; they all have the same
  bool indexed = true;      // false: of request scope, a new row each time
  bool known = false;       // the row was there
  bool must_write = false;  // the answer depends on the write
  bool may_write = false;   // a clock moved on, or the epoch
  bool failed = false;
  bool minted = false;   // this round made the row
  bool settled = false;  // written; not to be looked at again
};

Committer::Committer(TokenStore& store, SubjectStore& subjects, const Clock& clock)
    : store_(store), subjects_(subjects), clock_(clock) {}

Committer::~Committer() = default;

SubjectStore::WriterLock Committer::lock_for(std::span<const PendingBatch> round) {
  const bool asks = std::any_of(round.begin(), round.end(), [](const PendingBatch& pending) {
    return pending.subject.has_value();
  });
  return asks ? subjects_.lock_writers() : SubjectStore::WriterLock();
}

CommitReport Committer::process(std::span<PendingBatch> round, const LiveContexts& live,
                                const SubjectStore::WriterLock& writers) {
  CommitReport report;
  if (writers.owns_lock()) settle_subjects(round, live, report);
  index_anew(round, live);
  gather(round, live);
  const std::uint32_t today = day_of(clock_.now());
  if (look_up(today, live)) {
    report.failed = !settle(today, live, report.wrote) || report.failed;
  } else {
    report.failed = true;
    for (Group& group : groups_) group.failed = true;
  }
  for (Group& group : groups_) {
    const bool lost = group.failed || group.must_write;
    for (auto& [pending, job, name] : group.wants) {
      job->id = group.id;
      job->minted = group.minted && group.wants.size() == 1;
      const bool nameless = name != kNoName && names_[name].state != NameState::ours;
      if (lost || nameless) {
        pending->failed = true;
      } else if (name != kNoName) {
        names_[name].give(*job);
      }
    }
    if (lost) continue;
    report.minted += group.minted ? 1U : 0U;
    report.found += group.wants.size() - (group.minted ? 1U : 0U);
  }
  clear();
  return report;
}

void Committer::clear() noexcept {
  groups_.clear();
  names_.clear();
  group_of_name_.clear();
}

void Committer::settle_subjects(std::span<PendingBatch> round, const LiveContexts& live,
                                CommitReport& report) {
  std::vector<SubjectDesk::Asking> asking;
  for (PendingBatch& pending : round) {
    if (pending.subject) asking.push_back({pending.batch.get(), &*pending.subject});
  }
  bool wrote = false;
  report.failed = !SubjectDesk(subjects_).settle(asking, live, clock_.now(), wrote);
  report.wrote = wrote;
  for (PendingBatch& pending : round) {
    if (!pending.subject || pending.subject->stopped) continue;
    pending.failed = pending.subject->failed || !index_jobs(pending, live);
  }
}

// An index that began to move after the look-up: nothing new may be made under the old one.
void Committer::index_anew(std::span<PendingBatch> round, const LiveContexts& live) {
  for (PendingBatch& pending : round) {
    if (pending.failed || pending.subject) continue;
    if (pending.index_generation == live.index_generation) continue;
    pending.failed = !index_jobs(pending, live);
  }
}

void Committer::gather(std::span<PendingBatch> round, const LiveContexts& live) {
  std::unordered_map<IndexKey, std::size_t, IndexHash> where;
  for (PendingBatch& pending : round) {
    if (pending.failed || (pending.subject && pending.subject->stopped)) continue;
    for (std::size_t j = 0; j < pending.batch->jobs.size(); ++j) {
      MintJob& job = pending.batch->jobs[j];
      const auto [it, first] = where.try_emplace(pending.index[j], groups_.size());
      if (first) {
        groups_.emplace_back();
        groups_.back().index = pending.index[j];
        if (!pending.before.empty()) groups_.back().before = pending.before[j];
        groups_.back().value = pending.batch->value(job);
        groups_.back().indexed = job.scope != Scope::request;
        groups_.back().scope_id = job.scope_id;
        groups_.back().bound = live.tokens.at(job.key_id)->bound;
        if (groups_.back().bound) groups_.back().subject = pending.subject->id;
      }
      Group& group = groups_[it->second];
      group.wants.push_back({&pending, &job, name_of(group, job, live)});
    }
  }
}

// Two jobs that ask for one value in one shape ask for one text.
std::size_t Committer::name_of(Group& group, const MintJob& job, const LiveContexts& live) {
  if (!has_own_text(job.shape)) return kNoName;
  for (const Group::Want& want : group.wants) {
    if (want.name == kNoName) continue;
    const ShapedName& name = names_[want.name];
    if (name.shape == job.shape && name.length == job.length) return want.name;
  }
  ShapedName name;
  name.key = &live.tokens.at(job.key_id)->shapes;
  name.shape = job.shape;
  name.length = job.length;
  names_.push_back(std::move(name));
  group_of_name_.push_back(static_cast<std::size_t>(&group - groups_.data()));
  return names_.size() - 1;
}

// The rows of all groups that are indexed, in their order.
bool Committer::find_rows(const LiveContexts& live, std::vector<std::optional<FoundFacts>>& found) {
  std::vector<IndexKey> keys;
  std::vector<const Group*> groups;
  for (const Group& group : groups_) {
    if (!group.indexed || group.settled) continue;
    keys.push_back(group.index);
    groups.push_back(&group);
  }
  found.resize(keys.size());
  if (!store_.find(keys, found)) return false;
  if (!find_before(groups, found)) return false;
  // A row whose key is destroyed is none any more: its value begins anew, with another token.
  std::vector<IndexKey> ended;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i] || !has_ended(*found[i], live)) continue;
    ended.push_back(groups[i]->index);
    if (groups[i]->before) ended.push_back(*groups[i]->before);
    found[i].reset();
  }
  return ended.empty() || store_.drop_index(ended).has_value();
}

// What was not found, under the index's version before.
bool Committer::find_before(std::span<const Group* const> groups,
                            std::span<std::optional<FoundFacts>> found) {
  std::vector<IndexKey> keys;
  std::vector<std::size_t> where;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] || !groups[i]->before) continue;
    keys.push_back(*groups[i]->before);
    where.push_back(i);
  }
  if (keys.empty()) return true;
  std::vector<std::optional<FoundFacts>> rows(keys.size());
  if (!store_.find(keys, rows)) return false;
  std::vector<IndexEntry> moved;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) continue;
    moved.push_back({groups[where[i]]->index, rows[i]->id});
    found[where[i]] = std::move(rows[i]);
  }
  // A token that is known is answered also when nothing can be written; then it moves later.
  if (!moved.empty()) std::ignore = store_.add_index(moved);
  return true;
}

// Whether nobody wants more of the row than to know that it is there.
bool Committer::asks_only(const Group& group) {
  return std::all_of(group.wants.begin(), group.wants.end(),
                     [](const Group::Want& want) { return want.job->only_new; });
}

bool Committer::look_up(std::uint32_t today, const LiveContexts& live) {
  std::vector<std::optional<FoundFacts>> found;
  if (!find_rows(live, found)) return false;
  std::size_t at = 0;
  for (Group& group : groups_) {
    if (group.settled) continue;
    const MintJob& first = *group.wants.front().job;
    const FoundFacts* row = nullptr;
    if (group.indexed) {
      if (found[at]) row = &*found[at];
      ++at;
    }
    group.known = row != nullptr;
    if (group.known && asks_only(group)) {
      group.id = row->id;
      // Nothing is written for it, no text either.
      for (const Group::Want& want : group.wants) {
        if (want.name != kNoName) names_[want.name].state = NameState::ours;
      }
      continue;
    }
    if (group.bound) {
      group.id = group.known ? row->id : random_id(random_);
      group.bound_row = {first.key_id, first.kind, first.scope == Scope::relationship, {}};
      group.must_write = !group.known;
      if (group.known) {
        group.failed = !read_bound(group);
        if (group.failed) continue;
      }
      group.failed = !prepare_bound(group, today, live);
      continue;
    }
    if (group.known) {
      // A row that does not parse is damaged: it is neither answered nor overwritten.
      auto decoded = decode_token_facts(as_bytes(row->facts));
      group.failed = !decoded || decoded->key_id != first.key_id;
      if (group.failed) continue;
      group.id = row->id;
      group.facts = row->facts;
      group.row = std::move(*decoded);
    } else {
      group.id = random_id(random_);
      group.row.key_id = first.key_id;
      group.row.seal_key_id = first.seal_key_id;
      group.row.kind = first.kind;
      group.must_write = true;
    }
    group.failed = !prepare(group, today, live);
  }
  return true;
}

// The whole row of a known group: its other copies go into the next one as they are.
bool Committer::read_bound(Group& group) {
  std::optional<std::string> row;
  if (!store_.resolve(std::span(&group.id, 1), std::span(&row, 1)) || !row) return false;
  auto decoded = decode_bound_row(as_bytes(*row));
  if (!decoded || decoded->key_id != group.wants.front().job->key_id) return false;
  group.bound_row = std::move(*decoded);
  std::string scratch;
  group.facts = row_facts(*row, scratch);
  return true;
}

bool Committer::prepare(Group& group, std::uint32_t today, const LiveContexts& live) {
  for (const auto& [pending, job, name] : group.wants) {
    const auto seal = live.seals.find(job->seal_key_id);
    if (seal == live.seals.end()) return false;
    const Contact contact = note_contact(group.row, seal->second.purpose, today);
    group.must_write = group.must_write || contact == Contact::new_purpose;
    // Also where nothing counts from it the day is noted when the row is written anyway.
    group.may_write = group.may_write || (contact == Contact::new_day && seal->second.noted_daily);
  }
  // A row that is written again is sealed under the current epoch of the purpose it was sealed for,
  // or of this use's purpose when no policy names that one any more.
  group.row.in_relationship = group.wants.front().job->scope == Scope::relationship;
  auto current = live.current_seal.find(group.row.seal_key_id);
  // Its key opens no more, or no policy names its purpose: what is answered must open.
  group.must_write = group.must_write || current == live.current_seal.end();
  const std::uint32_t asking = group.wants.front().job->seal_key_id;
  if (current == live.current_seal.end()) current = live.current_seal.find(asking);
  const std::uint32_t next = current != live.current_seal.end() ? current->second : asking;
  group.may_write = group.may_write || next != group.row.seal_key_id;
  group.row.seal_key_id = next;
  return live.seals.contains(group.row.seal_key_id);
}

// A copy for each purpose that the round uses the row for, under the keys of today.
bool Committer::prepare_bound(Group& group, std::uint32_t today, const LiveContexts& live) {
  for (const auto& [pending, job, name] : group.wants) {
    const auto seal = live.seals.find(job->seal_key_id);
    if (seal == live.seals.end()) return false;
    const Id& purpose = seal->second.purpose;
    BoundCopy* copy = ensure_copy(group.bound_row, purpose);
    if (copy == nullptr) return false;
    const SubjectSeal& subject = pending->batch->subject->seal;
    const bool opens =
        !copy->sealed.empty() && copy->mark == handle_mark(subject.handle, group.id, purpose);
    if (opens && copy->seal_key_id == job->seal_key_id) continue;
    if (std::any_of(group.copies.begin(), group.copies.end(),
                    [&](const Group::Copy& planned) { return planned.purpose == purpose; })) {
      continue;
    }
    // One under a key that is gone, or none at all, is not yet the answer.
    group.must_write = group.must_write || !opens;
    group.may_write = true;
    copy->seal_key_id = job->seal_key_id;
    copy->created_day = today;
    group.copies.push_back({purpose, &subject});
  }
  return true;
}

Result<std::string> Committer::seal(Group& group, const LiveContexts& live) {
  if (!group.bound) {
    const ProtectionKey& key = *live.seals.at(group.row.seal_key_id).key;
    return sealer_.seal(group.row, group.id, key, group.value,
                        group.row.in_relationship ? group.scope_id : ScopeId{});
  }
  for (const Group::Copy& planned : group.copies) {
    BoundCopy& copy = *copy_for(group.bound_row, planned.purpose);
    const ProtectionKey& key = *live.seals.at(copy.seal_key_id).key;
    if (auto s = bound_sealer_.seal(group.bound_row, group.id, copy, key, *planned.subject,
                                    group.value, group.scope_id);
        !s) {
      return s.error();
    }
  }
  return encode_bound_row(group.bound_row);
}

bool Committer::open_names() const {
  return std::any_of(names_.begin(), names_.end(),
                     [](const ShapedName& name) { return name.state == NameState::searching; });
}

// After somebody was faster: every group that is not written as if it had just been gathered.
bool Committer::look_again(std::uint32_t today, const LiveContexts& live) {
  std::vector<Id> before;
  for (Group& group : groups_) {
    before.push_back(group.id);
    if (group.settled) continue;
    group.must_write = group.may_write = group.failed = false;
    group.copies.clear();
    group.facts.clear();
    group.row = TokenRow();
  }
  if (!look_up(today, live)) return false;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::size_t group = group_of_name_[i];
    // A text that is ours already stays ours as long as the row does.
    if (names_[i].state == NameState::ours && groups_[group].id == before[group]) continue;
    names_[i].state = NameState::searching;
    names_[i].attempt = 0;
  }
  return true;
}

bool Committer::settle(std::uint32_t today, const LiveContexts& live, bool& wrote) {
  // A second turn happens only where the row keeper, a removal or another process was faster.
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const Group& group = groups_[group_of_name_[i]];
      names_[i].id = group.id;
      if (group.failed) names_[i].state = NameState::exhausted;
    }
    std::set<AliasKey> claimed;
    if (!search_names(store_, names_, claimed)) return false;
    const bool needed =
        !claimed.empty() || std::any_of(groups_.begin(), groups_.end(), [](const Group& group) {
          return !group.failed && (group.must_write || group.may_write);
        });
    if (!needed) return true;
    const Written written = write(live);
    if (written == Written::failed) return false;
    if (written == Written::overtaken) {
      if (!look_again(today, live)) return false;
      continue;
    }
    wrote = true;
    if (!open_names()) return true;
  }
  return false;
}

Committer::Written Committer::write(const LiveContexts& live) {
  std::vector<NewRow> create;
  std::vector<ChangedRow> change;
  std::vector<NewAlias> aliases;
  std::vector<Group*> created;
  std::vector<Group*> changed;
  std::vector<ShapedName*> named;
  for (Group& group : groups_) {
    if (group.failed || !(group.must_write || group.may_write)) continue;
    auto row = seal(group, live);
    if (!row) {
      group.failed = true;
    } else if (group.known) {
      change.push_back({group.id, std::move(*row), group.facts});
      changed.push_back(&group);
    } else {
      const auto index = group.indexed ? std::optional(group.index) : std::nullopt;
      const auto owner = group.bound ? std::optional(row_owner(group.subject)) : group.row.subject;
      create.push_back({index, group.id, std::move(*row), owner});
      created.push_back(&group);
    }
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].state != NameState::free || groups_[group_of_name_[i]].failed) continue;
    aliases.push_back({names_[i].alias, names_[i].id});
    named.push_back(&names_[i]);
  }
  if (const Status status = store_.commit(create, change, aliases); !status) {
    return status.error().kind() == ErrorKind::busy ? Written::overtaken : Written::failed;
  }
  bool overtaken = false;
  for (std::size_t i = 0; i < created.size(); ++i) {
    created[i]->id = create[i].id;
    created[i]->known = !create[i].created;
    // Its row says nothing of our purpose yet.
    overtaken = overtaken || !create[i].created;
    created[i]->minted = created[i]->settled = create[i].created;
  }
  for (Group& group : groups_) {
    if (!group.failed) group.must_write = group.may_write = false;
  }
  for (Group* group : changed) group->settled = true;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const bool ours = aliases[i].holder == named[i]->id;
    named[i]->state = ours ? NameState::ours : NameState::searching;
    if (!ours) named[i]->attempt = 0;
  }
  return overtaken ? Written::overtaken : Written::yes;
}

}  // namespace paravent::crypto::vault
