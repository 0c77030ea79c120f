#include "crypto/vault/engine/vault/subject_desk.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "crypto/primitives/random.h"
#include "crypto/tokens/kind.h"
#include "crypto/vault/engine/rows/token_row.h"

namespace paravent::crypto::vault {
namespace {

std::array<std::uint8_t, 2> length_prefix(std::size_t size) noexcept {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
}

const LiveSubject* binding_of(const SubjectQuestion& question, const LiveContexts& live) {
  const auto it = live.subjects.find(question.key_id);
  return it == live.subjects.end() ? nullptr : it->second.get();
}

// Whether this is another day than that of the last contact. One that has not come yet a clock that
// ran ahead has noted; but nobody came before the key was made.
bool is_new_day(const SubjectKey& key, std::uint32_t today) {
  return key.contact_day < today || (key.contact_day > today && key.made.created_day <= today);
}

// Whether the person's coming has to be written down: a new day, or a key that was about to go.
bool has_news(const SubjectKey& key, std::uint32_t today) {
  return is_new_day(key, today) || key.disabled();
}

}  // namespace

SubjectReference subject_reference(const HmacSha256& key, Kind kind, std::string_view value) {
  const std::string_view name = kind_name(kind);
  const auto name_size = length_prefix(name.size());
  const auto value_size = length_prefix(value.size());
  return key.mac({name_size, as_bytes(name), value_size, as_bytes(value)});
}

SubjectReference row_owner(const Id& subject) {
  SubjectReference owner{};
  std::copy(subject.begin(), subject.end(), owner.begin());
  return owner;
}

PendingSubject SubjectDesk::look(ResolveBatch& batch, const LiveContexts& live,
                                 std::uint32_t today) const {
  SubjectQuestion& question = *batch.subject;
  PendingSubject out;
  const LiveSubject* binding = binding_of(question, live);
  const std::size_t size = question.end - question.begin;
  if (binding == nullptr || question.begin > question.end || question.end > batch.values.size() ||
      size > kMaxSubjectValue) {
    out.failed = true;
    return out;
  }
  out.identified = size > 0;
  if (!out.identified) {
    random_bytes(out.reference);
    out.settled = !question.needs_key;
    return out;
  }
  const std::string_view value = std::string_view(batch.values).substr(question.begin, size);
  out.reference = subject_reference(binding->reference, binding->kind, value);
  std::optional<SubjectKeyMade> made;
  bool news = false;
  store_.read([&](const SubjectTable& table) {
    const Subject* subject = table.by_reference(binding->tenant, out.reference);
    if (subject == nullptr) return;
    out.id = subject->made.id;
    question.restricted = subject->restricted;
    question.objected = subject->objected;
    const SubjectKey* key = table.key_of(*subject, binding->purpose);
    if (key == nullptr) return;
    made = key->made;
    news = has_news(*key, today);
  });
  out.stopped = question.objected && question.stop_if_objected;
  if (out.stopped || !question.needs_key) {
    out.settled = true;
  } else if (made && !news) {
    // A batch that renews wraps may come between the reading and the opening, and its parents may
    // be newer than `live`: then settle() says the last word, when no such batch can come between.
    out.settled = answer(question, *made, live);
  }
  return out;
}

bool SubjectDesk::answer(SubjectQuestion& question, const SubjectKeyMade& made,
                         const LiveContexts& live) const {
  const auto wrap = live.wraps.find(made.parent);
  if (wrap == live.wraps.end()) return false;
  question.seal.handle = made.handle;
  question.seal.key = SecretBytes(kTreeKeySize);
  return store_.open_key(made, *wrap->second, question.seal.key.mutable_bytes()).has_value();
}

// What one settling plans before anything is written.
struct SubjectDesk::Round {
  struct Planned {
    Asking asking;
    SubjectKeyMade key;
    bool must_write = false;
  };

  Round(const SubjectStore& with, WallTime time) : store(with), now(time), today(day_of(time)) {}

  void plan(const Asking& asking, const LiveSubject& binding);
  const SubjectMade& subject_for(const PendingSubject& pending, const LiveSubject& binding);

  const SubjectStore& store;
  WallTime now;
  std::uint32_t today;
  std::vector<SubjectChange> changes;
  std::vector<Planned> planned;
  std::map<std::pair<Id, SubjectReference>, SubjectMade> new_subjects;
  std::map<std::pair<Id, Id>, SubjectKeyMade> new_keys;  // by subject and purpose
  std::map<Id, bool> noted;                              // handles with news in this round
};

const SubjectMade& SubjectDesk::Round::subject_for(const PendingSubject& pending,
                                                   const LiveSubject& binding) {
  const auto [it, first] = new_subjects.try_emplace({binding.tenant, pending.reference});
  if (first) {
    it->second = {random_id(), binding.tenant, pending.reference, pending.identified, today};
    changes.emplace_back(it->second);
  }
  return it->second;
}

void SubjectDesk::Round::plan(const Asking& asking, const LiveSubject& binding) {
  PendingSubject& pending = *asking.subject;
  SubjectQuestion& question = *asking.batch->subject;
  std::optional<SubjectKey> known;
  pending.id = kNoId;
  store.read([&](const SubjectTable& table) {
    const Subject* subject = table.by_reference(binding.tenant, pending.reference);
    if (subject == nullptr) return;
    pending.id = subject->made.id;
    question.restricted = subject->restricted;
    question.objected = subject->objected;
    if (const SubjectKey* key = table.key_of(*subject, binding.purpose)) known = *key;
  });
  pending.stopped = question.objected && question.stop_if_objected;
  if (pending.stopped || !question.needs_key) {
    pending.settled = true;
    return;
  }
  if (pending.id == kNoId) pending.id = subject_for(pending, binding).id;
  Planned entry{asking, {}, false};
  if (known) {
    entry.key = known->made;
    const Id& handle = known->made.handle;
    if (has_news(*known, today) && noted.emplace(handle, known->disabled()).second) {
      if (is_new_day(*known, today)) changes.emplace_back(SubjectContact{handle, today});
      // Back before the end: what was about to be destroyed is wanted again.
      if (known->disabled()) {
        changes.emplace_back(SubjectKeyDisabled{handle, {}, {}});
        changes.emplace_back(SubjectEvent{handle, 0});
      }
    }
    entry.must_write = known->disabled();
  } else {
    const auto [it, first] = new_keys.try_emplace({pending.id, binding.purpose});
    if (first) {
      it->second = store.make_key(pending.id, binding.purpose, *binding.wrap, now, today);
      changes.emplace_back(it->second);
    }
    entry.key = it->second;
    entry.must_write = true;
  }
  planned.push_back(entry);
}

Status SubjectDesk::settle(std::span<const Asking> asking, const LiveContexts& live, WallTime now,
                           bool& wrote) {
  Round round(store_, now);
  for (const Asking& one : asking) {
    const LiveSubject* binding = binding_of(*one.batch->subject, live);
    if (binding == nullptr) {
      one.subject->failed = true;
    } else {
      round.plan(one, *binding);
    }
  }
  const Status status = store_.commit(round.changes);
  wrote = status.has_value() && !round.changes.empty();
  for (const Round::Planned& entry : round.planned) {
    PendingSubject& pending = *entry.asking.subject;
    const bool durable = status.has_value() || !entry.must_write;
    pending.settled = durable && answer(*entry.asking.batch->subject, entry.key, live);
    pending.failed = !pending.settled;
  }
  return status;
}

}  // namespace paravent::crypto::vault
