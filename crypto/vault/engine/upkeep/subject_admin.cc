#include "crypto/vault/engine/upkeep/subject_admin.h"

#include <mutex>
#include <utility>

#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/catalogue/key_info.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/subjects/subject_keys.h"
#include "crypto/vault/engine/vault/erased_rows.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

Error unknown() noexcept { return Error(ErrorKind::refused); }

SubjectPurpose purpose_of(const SubjectKey& key, const NameRegistry& names) {
  SubjectPurpose out;
  out.id = key.made.purpose;
  out.name = name_of(names, key.made.purpose);
  out.since = time_of_day(key.made.created_day);
  out.last_contact = time_of_day(key.contact_day);
  if (key.event_day != 0) out.event = time_of_day(key.event_day);
  if (key.disabled()) out.disabled = key.disabled_since;
  return out;
}

}  // namespace

Result<Id> SubjectAdmin::find(const Id& tenant, Kind kind, std::string_view value) const {
  Vault::State& state = *vault_.state_;
  std::optional<SubjectReference> reference;
  {
    const std::scoped_lock lock(state.mutex);
    if (!state.catalogue->keys().find({.key_class = KeyClass::tenant, .tenant = tenant})) {
      return unknown();
    }
    const auto mac = subject_reference_key(*state.catalogue, tenant);
    if (!mac) return mac.error();
    reference = subject_reference(*mac, kind, value);
  }
  return find(tenant, *reference);
}

Result<Id> SubjectAdmin::find(const Id& tenant, const SubjectReference& reference) const {
  return vault_.state_->subjects->read([&](const SubjectTable& table) -> Result<Id> {
    const Subject* subject = table.by_reference(tenant, reference);
    if (subject == nullptr) return unknown();
    return subject->made.id;
  });
}

Result<Id> SubjectAdmin::of_token(const Id& tenant, const ParsedToken& token) const {
  return ReverseVault(vault_).owner_of(tenant, token);
}

Result<Id> SubjectAdmin::of_shaped(const Id& tenant, std::string_view text) const {
  const auto found = ReverseVault(vault_).look_for_shaped(tenant, text);
  if (!found) return found.error();
  // Where another domain may have the text too, it does not tell one person from the other.
  if (found->may_be_hidden) return Error(ErrorKind::sealed);
  if (found->tokens.size() != 1) return unknown();
  return of_token(tenant, found->tokens.front());
}

Result<SubjectInfo> SubjectAdmin::info(const Id& subject) const {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const NameRegistry& names = state.catalogue->names();
  return state.subjects->read([&](const SubjectTable& table) -> Result<SubjectInfo> {
    const Subject* found = table.by_id(subject);
    if (found == nullptr) return unknown();
    SubjectInfo out{found->made.id,
                    found->made.tenant,
                    found->made.reference,
                    found->made.identified,
                    found->restricted,
                    found->objected,
                    time_of_day(found->made.first_day),
                    {}};
    for (const SubjectKey* key : table.keys_of(*found)) {
      out.purposes.push_back(purpose_of(*key, names));
    }
    return out;
  });
}

Result<std::vector<ParsedToken>> SubjectAdmin::tokens(const Id& subject) const {
  TokenStore& store = *vault_.state_->tokens;
  const auto ids = store.by_subject(row_owner(subject));
  if (!ids) return Error(ErrorKind::unreachable);
  std::vector<std::optional<std::string>> rows(ids->size());
  if (!store.resolve(*ids, rows)) return Error(ErrorKind::unreachable);
  std::vector<ParsedToken> tokens;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto key_id =
        rows[i] ? token_key_id(as_bytes(*rows[i])) : Result<std::uint32_t>(unknown());
    if (!key_id) continue;
    std::string text;
    write_vault_token(*key_id, (*ids)[i], text);
    auto token = parse_token(text);
    if (token) tokens.push_back(std::move(*token));
  }
  return tokens;
}

Status SubjectAdmin::mark(const Id& subject, std::optional<bool> restricted,
                          std::optional<bool> objected) {
  SubjectStore& store = *vault_.state_->subjects;
  const auto lock = store.lock_writers();
  const auto next = store.read([&](const SubjectTable& table) -> std::optional<SubjectMarked> {
    const Subject* found = table.by_id(subject);
    if (found == nullptr) return std::nullopt;
    return SubjectMarked{subject, restricted.value_or(found->restricted),
                         objected.value_or(found->objected)};
  });
  if (!next) return unknown();
  const SubjectChange change = *next;
  return store.commit(std::span(&change, 1));
}

Result<Id> SubjectAdmin::purpose_key(const Id& subject, std::string_view purpose,
                                     const SubjectTable& table, std::uint32_t& contact_day) const {
  const Subject* found = table.by_id(subject);
  if (found == nullptr) return unknown();
  const auto id =
      vault_.state_->catalogue->names().find(NameKind::purpose, found->made.tenant, purpose);
  const SubjectKey* key = id ? table.key_of(*found, *id) : nullptr;
  if (key == nullptr) return unknown();
  contact_day = key->contact_day;
  return key->made.handle;
}

Status SubjectAdmin::note_event(const Id& subject, std::string_view purpose,
                                std::optional<WallTime> day) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock names(state.mutex);
  const auto lock = state.subjects->lock_writers();
  std::uint32_t contact_day = 0;
  const auto handle = state.subjects->read(
      [&](const SubjectTable& table) { return purpose_key(subject, purpose, table, contact_day); });
  if (!handle) return handle.error();
  const SubjectChange change = SubjectEvent{*handle, day ? day_of(*day) : 0U};
  return state.subjects->commit(std::span(&change, 1));
}

Status SubjectAdmin::note_contact(const Id& subject, std::string_view purpose, WallTime day) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock names(state.mutex);
  const auto lock = state.subjects->lock_writers();
  std::uint32_t contact_day = 0;
  const auto handle = state.subjects->read(
      [&](const SubjectTable& table) { return purpose_key(subject, purpose, table, contact_day); });
  if (!handle) return handle.error();
  // One that has not come yet was noted by a clock that ran ahead.
  const std::uint32_t today = day_of(state.clock.now());
  if (day_of(day) <= contact_day && contact_day <= today) return {};
  const SubjectChange change = SubjectContact{*handle, day_of(day)};
  return state.subjects->commit(std::span(&change, 1));
}

// REQUIRES: the state's mutex is held.
bool SubjectAdmin::is_held(const Id& subject) const {
  const Vault::State& state = *vault_.state_;
  const WallTime now = state.clock.now();
  return state.subjects->read([&](const SubjectTable& table) {
    const Subject* found = table.by_id(subject);
    if (found == nullptr) return false;
    for (const auto& [id, hold] : state.catalogue->holds()) {
      const bool about = hold.tenant == found->made.tenant &&
                         (!hold.subject || *hold.subject == found->made.reference) &&
                         (hold.purpose == kNoId || table.key_of(*found, hold.purpose) != nullptr);
      if (about && hold.until > now) return true;
    }
    return false;
  });
}

Status Vault::State::renew_subjects() {
  const auto batch = catalogue->destroy({}, parts, clock.now());
  renewal_failed = !batch;
  return batch ? Status() : batch.error();
}

// Rows of each of them, and of all. REQUIRES: the writers' lock is held.
Result<std::map<Id, std::vector<Id>>> SubjectAdmin::rows_of(const std::set<Id>& subjects) const {
  std::map<Id, std::vector<Id>> out;
  for (const Id& subject : subjects) {
    auto rows = rows_of_person(*vault_.state_->tokens, subject);
    if (!rows) return rows.error();
    out.emplace(subject, std::move(*rows));
  }
  return out;
}

// The keys end in one durable step, and with them whatever lies under them, wherever it is; then
// the rows go, by remove_rows_of_erased() where that fails or is interrupted.
Result<std::vector<ErasedSubject>> SubjectAdmin::end(const std::set<Id>& subjects) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock names(state.mutex);
  const auto writers = state.subjects->lock_writers();
  for (const Id& subject : subjects) {
    if (is_held(subject)) {
      return Error(ErrorKind::busy, "A hold covers this person; release the hold first.");
    }
  }
  const auto rows = rows_of(subjects);
  if (!rows) return rows.error();
  std::vector<ErasedSubject> erased;
  std::vector<SubjectChange> changes;
  std::vector<Id> ended;
  std::vector<Id> gone;
  state.subjects->read([&](const SubjectTable& table) {
    for (const auto& [subject, theirs] : *rows) {
      const Subject* found = table.by_id(subject);
      if (found == nullptr) continue;  // somebody else was faster
      erased.push_back({found->made.reference, table.keys_of(*found).size(), theirs.size()});
      changes.emplace_back(SubjectErased{subject});
      ended.push_back(subject);
      gone.insert(gone.end(), theirs.begin(), theirs.end());
    }
  });
  if (auto s = state.subjects->commit(changes); !s) return s.error();
  if (gone.empty() || state.tokens->remove(gone)) state.subjects->rows_are_gone(ended);
  return erased;
}

Result<Erasure> SubjectAdmin::erase(std::span<const Id> subjects) {
  Vault::State& state = *vault_.state_;
  auto ended = end({subjects.begin(), subjects.end()});
  if (!ended) return ended.error();
  Erasure out{std::move(*ended), true, false};
  {
    const std::scoped_lock lock(state.mutex);
    // Also where another batch was faster: it may not have come to its end.
    out.is_final = state.finish_renewal().has_value();
  }
  const bool removed = remove_rows_of_erased(*state.subjects, *state.tokens).has_value();
  // It walks the store, and may wait for a backup: nobody waits for that but this caller.
  out.rows_left = !state.tokens->forget_removed() || !removed;
  return out;
}

}  // namespace paravent::crypto::vault
