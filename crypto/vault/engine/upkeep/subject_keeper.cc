#include "crypto/vault/engine/upkeep/subject_keeper.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "crypto/vault/engine/catalogue/key_info.h"
#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/vault/subject_desk.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::milliseconds;

// From which day this key's life counts; nullopt: nothing has ended it yet.
std::optional<std::uint32_t> clock_day(const Subject& subject, const SubjectKey& key,
                                       CountsFrom from) {
  if (!subject.made.identified) return key.made.created_day;
  if (from != CountsFrom::event) return key.contact_day;
  if (key.event_day == 0) return std::nullopt;
  return key.event_day;
}

std::optional<DueTimes> due_of(const Catalogue& catalogue, const Subject& subject,
                               const SubjectKey& key) {
  const auto rule = catalogue.retentions().find(key.made.purpose);
  if (rule == catalogue.retentions().end()) return std::nullopt;
  const auto day = clock_day(subject, key, rule->second.rule.from);
  if (!day) return std::nullopt;
  const WallTime limit = retention_end(rule->second.rule, time_of_day(*day));
  return DueTimes{limit - kDisableAhead, limit};
}

std::optional<WallTime> held_until(const Catalogue& catalogue, const Subject& subject,
                                   const Id& purpose, WallTime now) {
  std::optional<WallTime> until;
  for (const auto& [id, hold] : catalogue.holds()) {
    const bool covers = hold.tenant == subject.made.tenant &&
                        (hold.purpose == kNoId || hold.purpose == purpose) &&
                        (!hold.subject || *hold.subject == subject.made.reference);
    if (covers && hold.until > now && (!until || *until < hold.until)) until = hold.until;
  }
  return until;
}

// Both locks of the vault's state and of the subject store are held where these are called.
struct Look {
  const Catalogue& catalogue;
  WallTime now;

  DueSubject at(const Subject& subject, const SubjectKey& key) const {
    DueSubject one{key.made.handle,
                   subject.made.id,
                   subject.made.tenant,
                   subject.made.reference,
                   subject.made.identified,
                   name_of(catalogue.names(), subject.made.tenant),
                   name_of(catalogue.names(), key.made.purpose),
                   due_of(catalogue, subject, key).value_or(DueTimes{}),
                   std::nullopt,
                   held_until(catalogue, subject, key.made.purpose, now)};
    if (key.disabled()) one.disabled = key.disabled_since;
    return one;
  }

  bool is_due(const DueSubject& one) const noexcept {
    return one.due.limit != WallTime{} && one.due.disable <= now && !one.held_until;
  }
};

// What a walk over all keys finds, soonest first. `wanted` decides from the key and when it is due.
template <typename Wanted>
std::vector<DueSubject> collect(const Look& look, const SubjectStore& store, Wanted wanted) {
  std::vector<DueSubject> out;
  store.read([&](const SubjectTable& table) {
    table.for_each([&](const Subject& subject) {
      for (const SubjectKey* key : table.keys_of(subject)) {
        if (!wanted(*key, due_of(look.catalogue, subject, *key))) continue;
        out.push_back(look.at(subject, *key));
      }
    });
  });
  std::sort(out.begin(), out.end(),
            [](const DueSubject& a, const DueSubject& b) { return a.due.disable < b.due.disable; });
  return out;
}

// Calls `act` with pieces of one tenant's people each, and goes on behind a failure: the first.
template <typename Act>
Status piece_by_piece(std::vector<DueSubject>& all, Act act) {
  std::stable_sort(all.begin(), all.end(),
                   [](const DueSubject& a, const DueSubject& b) { return a.tenant < b.tenant; });
  Status first_failure;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && end - begin < SubjectKeeper::kPiece &&
           all[end].tenant == all[begin].tenant) {
      ++end;
    }
    const Status done = act(std::span<const DueSubject>(all).subspan(begin, end - begin));
    if (!done && first_failure) first_failure = done;
    begin = end;
  }
  return first_failure;
}

}  // namespace

std::vector<DueSubject> SubjectKeeper::due_before(Vault& vault, WallTime until) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  return collect(Look{*state.catalogue, state.clock.now()}, *state.subjects,
                 [&](const SubjectKey&, const std::optional<DueTimes>& due) {
                   return due && due->disable <= until;
                 });
}

Status SubjectKeeper::tick() {
  Vault::State& state = *vault_.state_;
  std::vector<DueSubject> disable;
  std::vector<DueSubject> enable;
  std::vector<DueSubject> destroyed;
  WallTime now;
  milliseconds running{};
  Status first_failure = finish();
  {
    const std::scoped_lock lock(state.mutex);
    const KeeperRecord& keeper = state.catalogue->keeper();
    if (keeper.frozen()) return first_failure;
    now = state.clock.now();
    running = keeper.running;
    const Look look{*state.catalogue, now};
    for (DueSubject& one : collect(look, *state.subjects,
                                   [&](const SubjectKey&key, const std::optional<DueTimes>&due) {
                                     return key.disabled() || (due && due->disable <= now);
                                   })) {
      const bool due = look.is_due(one);
      if (!one.disabled) {
        if (due) disable.push_back(std::move(one));
      } else if (!due) {
        enable.push_back(std::move(one));
      } else {
        destroyed.push_back(std::move(one));
      }
    }
  }
  // Those whose guard is not over yet stay disabled.
  std::erase_if(destroyed, [&](const DueSubject& one) {
    return state.subjects->read([&](const SubjectTable& table) {
      const SubjectKey* key = table.by_handle(one.handle);
      return key == nullptr || running - key->disabled_running < kDestructionGuard;
    });
  });
  const auto note = [&](const Status& done) {
    if (!done && first_failure) first_failure = done;
  };
  note(piece_by_piece(enable, [&](std::span<const DueSubject> piece) {
    return change(KeyOperation::enable, piece, now, running);
  }));
  note(piece_by_piece(disable, [&](std::span<const DueSubject> piece) {
    return change(KeyOperation::disable, piece, now, running);
  }));
  note(
      piece_by_piece(destroyed, [&](std::span<const DueSubject> piece) { return destroy(piece); }));
  note(finish());
  return first_failure;
}

Status SubjectKeeper::change(KeyOperation operation, std::span<const DueSubject> subjects,
                             WallTime now, milliseconds running) {
  if (auto s = journal_.record(operation, subjects); !s) return s;
  SubjectStore& store = *vault_.state_->subjects;
  const bool disables = operation == KeyOperation::disable;
  const auto lock = store.lock_writers();
  std::vector<SubjectChange> changes;
  for (const DueSubject& one : subjects) {
    // What came or went meanwhile is found by the next tick.
    const bool there = store.read([&](const SubjectTable& table) {
      const SubjectKey* key = table.by_handle(one.handle);
      return key != nullptr && key->disabled() != disables;
    });
    if (!there) continue;
    changes.emplace_back(disables ? SubjectKeyDisabled{one.handle, now, running}
                                  : SubjectKeyDisabled{one.handle, {}, {}});
  }
  return store.commit(changes);
}

Status SubjectKeeper::destroy(std::span<const DueSubject> subjects) {
  if (auto s = journal_.record(KeyOperation::destroy, subjects); !s) return s;
  Vault::State& state = *vault_.state_;
  const std::scoped_lock names(state.mutex);
  const auto writers = state.subjects->lock_writers();
  // Since they were looked at, somebody may have come back, which enables the key; an event may
  // have been taken back, a hold laid, all of it frozen.
  if (state.catalogue->keeper().frozen()) return {};
  const Look look{*state.catalogue, state.clock.now()};
  std::map<Id, std::set<Id>> ending;  // handles, by person
  state.subjects->read([&](const SubjectTable& table) {
    for (const DueSubject& one : subjects) {
      const SubjectKey* key = table.by_handle(one.handle);
      const Subject* owner = key != nullptr ? table.by_id(one.subject) : nullptr;
      if (owner == nullptr || !key->disabled() || !look.is_due(look.at(*owner, *key))) continue;
      ending[one.subject].insert(one.handle);
    }
  });
  // The rows first: when that fails, or is interrupted, the key is due still and the next tick
  // finds it. Of one key out of several nothing else would name the rows.
  std::vector<Id> rows;
  std::vector<SubjectChange> changes;
  for (const auto& entry : ending) {
    const Id& subject = entry.first;
    const std::set<Id>& handles = entry.second;
    const auto some = rows_of(subject, handles);
    if (!some) return some.error();
    rows.insert(rows.end(), some->begin(), some->end());
    for (const Id& handle : handles) changes.emplace_back(SubjectKeyDestroyed{handle});
    // Of whom nothing is left, not even the subject, unless it carries a wish of theirs.
    const bool whole = state.subjects->read([&](const SubjectTable& table) {
      const Subject* owner = table.by_id(subject);
      return !owner->objected && table.keys_of(*owner).size() == handles.size();
    });
    if (whole) changes.emplace_back(SubjectErased{subject});
  }
  if (auto s = state.tokens->remove(rows); !s) return s;
  if (auto s = state.subjects->commit(changes); !s) return s;
  std::vector<Id> ended;
  for (const auto& entry : ending) ended.push_back(entry.first);
  state.subjects->rows_are_gone(ended);
  return {};
}

// What destructions and erasures leave to be done when nobody waits: the secret under which older
// copies of the keys would open, and the rows' traces in the store.
Status SubjectKeeper::finish() { return KeyAdmin(vault_).finish_erasure(); }

// Of which no copy opens once these keys of the person are gone. REQUIRES: the writers' lock is
// held.
Result<std::vector<Id>> SubjectKeeper::rows_of(const Id& subject, const std::set<Id>& ending) {
  Vault::State& state = *vault_.state_;
  const auto ids = state.tokens->by_subject(row_owner(subject));
  if (!ids) return ids.error();
  std::vector<std::optional<std::string>> rows(ids->size());
  if (auto s = state.tokens->resolve(*ids, rows); !s) return s.error();
  std::vector<Id> gone;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i] ? decode_bound_row(as_bytes(*rows[i]))
                             : Result<BoundRow>(Error(ErrorKind::refused));
    if (!row) continue;
    const Id& id = (*ids)[i];
    const bool opens = state.subjects->read([&](const SubjectTable& table) {
      const Subject* owner = table.by_id(subject);
      return std::any_of(row->copies.begin(), row->copies.end(), [&](const BoundCopy& copy) {
        const SubjectKey* key = table.key_of(*owner, copy.purpose);
        // One that was made anew since does not open what lies under the one before it.
        return key != nullptr && !ending.contains(key->made.handle) &&
               copy.mark == handle_mark(key->made.handle, id, copy.purpose);
      });
    });
    if (!opens) gone.push_back(id);
  }
  return gone;
}

}  // namespace paravent::crypto::vault
