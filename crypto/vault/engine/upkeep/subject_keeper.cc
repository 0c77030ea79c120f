#include "crypto/vault/engine/upkeep/subject_keeper.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "crypto/vault/engine/catalogue/key_info.h"
#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/vault/subject_desk.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::milliseconds;

// From which day this key's life counts; nullopt: nothing has ended it yet.
std::optional<std::uint32_t> clock_day(const Subject& subject, const SubjectKey& key,
                                       SubjectClock clock) {
  if (!subject.made.identified) return key.made.created_day;
  if (clock == SubjectClock::contact) return key.contact_day;
  if (key.event_day == 0) return std::nullopt;
  return key.event_day;
}

std::optional<DueTimes> due_of(const Catalogue& catalogue, const SubjectClocks& clocks,
                               const Subject& subject, const SubjectKey& key) {
  const auto rule = catalogue.retentions().find(key.made.purpose);
  if (rule == catalogue.retentions().end()) return std::nullopt;
  const auto stated = clocks.find(key.made.purpose);
  const SubjectClock clock = stated == clocks.end() ? SubjectClock::event : stated->second;
  const auto day = clock_day(subject, key, clock);
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

// What a walk over all keys finds. `wanted` decides from the key and when it is due.
template <typename Wanted>
std::vector<DueSubject> collect(const Catalogue& catalogue, const SubjectStore& store,
                                const SubjectClocks& clocks, WallTime now, Wanted wanted) {
  std::vector<DueSubject> out;
  store.read([&](const SubjectTable& table) {
    table.for_each([&](const Subject& subject) {
      for (const SubjectKey* key : table.keys_of(subject)) {
        const auto due = due_of(catalogue, clocks, subject, *key);
        const auto held = held_until(catalogue, subject, key->made.purpose, now);
        if (!wanted(*key, due, held)) continue;
        DueSubject one{key->made.handle,
                       subject.made.id,
                       subject.made.tenant,
                       subject.made.reference,
                       subject.made.identified,
                       name_of(catalogue.names(), subject.made.tenant),
                       name_of(catalogue.names(), key->made.purpose),
                       due.value_or(DueTimes{}),
                       std::nullopt,
                       held};
        if (key->disabled()) one.disabled = key->disabled_since;
        out.push_back(std::move(one));
      }
    });
  });
  std::sort(out.begin(), out.end(),
            [](const DueSubject& a, const DueSubject& b) { return a.due.disable < b.due.disable; });
  return out;
}

}  // namespace

Status SubjectKeeper::set_clocks(Vault& vault, std::span<const SubjectClockRule> rules) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  const NameRegistry& names = state.catalogue->names();
  SubjectClocks next;
  for (const SubjectClockRule& rule : rules) {
    const auto tenant = names.find(NameKind::tenant, kNoId, rule.tenant);
    const auto purpose =
        tenant ? names.find(NameKind::purpose, *tenant, rule.purpose) : std::nullopt;
    if (!purpose) {
      return Error(ErrorKind::configuration,
                   "The vault does not know the purpose \"" + rule.purpose + "\".");
    }
    next.emplace(*purpose, rule.clock);
  }
  state.subject_clocks = std::move(next);
  return {};
}

std::vector<DueSubject> SubjectKeeper::due_before(Vault& vault, WallTime until) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  return collect(*state.catalogue, *state.subjects, state.subject_clocks, state.clock.now(),
                 [&](const SubjectKey&, const std::optional<DueTimes>& due,
                     const std::optional<WallTime>&) { return due && due->disable <= until; });
}

Status SubjectKeeper::tick() {
  Vault::State& state = *vault_.state_;
  std::vector<DueSubject> disable;
  std::vector<DueSubject> enable;
  std::vector<DueSubject> destroyed;
  WallTime now;
  milliseconds running{};
  {
    const std::scoped_lock lock(state.mutex);
    const KeeperRecord& keeper = state.catalogue->keeper();
    if (keeper.frozen()) return {};
    now = state.clock.now();
    running = keeper.running;
    for (DueSubject& one : collect(*state.catalogue, *state.subjects, state.subject_clocks, now,
                                   [&](const SubjectKey&key, const std::optional<DueTimes>&due,
                                       const std::optional<WallTime>&) {
                                     return key.disabled() || (due && due->disable <= now);
                                   })) {
      const bool due = one.due.limit != WallTime{} && one.due.disable <= now && !one.held_until;
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
  if (auto s = change(KeyOperation::enable, enable, now, running); !s) return s;
  if (auto s = change(KeyOperation::disable, disable, now, running); !s) return s;
  return destroy(destroyed);
}

Status SubjectKeeper::change(KeyOperation operation, std::span<const DueSubject> subjects,
                             WallTime now, milliseconds running) {
  if (subjects.empty()) return {};
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
  Vault::State& state = *vault_.state_;
  if (subjects.empty() && !state.subjects->owes_renewal()) return {};
  if (!subjects.empty()) {
    if (auto s = journal_.record(KeyOperation::destroy, subjects); !s) return s;
  }
  Status failed;
  {
    const auto lock = state.subjects->lock_writers();
    std::map<Id, std::set<Id>> ending;  // handles, by person
    for (const DueSubject& one : subjects) {
      // Somebody who came back meanwhile has enabled the key.
      const bool there = state.subjects->read([&](const SubjectTable& table) {
        const SubjectKey* key = table.by_handle(one.handle);
        return key != nullptr && key->disabled();
      });
      if (there) ending[one.subject].insert(one.handle);
    }
    // The rows first, as an erasure does: when that fails, or is interrupted, the key is due still
    // and the next tick finds it. A row whose key went before it would be nobody's for ever.
    std::vector<SubjectChange> changes;
    for (const auto& entry : ending) {
      const Id& subject = entry.first;
      const std::set<Id>& handles = entry.second;
      if (auto s = drop_rows(subject, handles); !s) {
        failed = s;
        continue;
      }
      for (const Id& handle : handles) changes.emplace_back(SubjectKeyDestroyed{handle});
      // Of whom nothing is left, not even the subject, unless it carries a wish of theirs.
      state.subjects->read([&](const SubjectTable& table) {
        const Subject* owner = table.by_id(subject);
        if (owner->objected || table.keys_of(*owner).size() > handles.size()) return;
        changes.emplace_back(SubjectErased{subject});
      });
    }
    if (auto s = state.subjects->commit(changes); !s) return s;
  }
  const std::scoped_lock lock(state.mutex);
  if (state.subjects->owes_renewal()) {
    if (auto s = state.renew_subjects(); !s) return s;
  }
  return failed;
}

// The rows of which no copy opens once these keys of the person are gone. REQUIRES: the writers'
// lock is held.
Status SubjectKeeper::drop_rows(const Id& subject, const std::set<Id>& ending) {
  Vault::State& state = *vault_.state_;
  const auto ids = state.tokens->by_subject(row_owner(subject));
  if (!ids) return ids.error();
  std::vector<std::optional<std::string>> rows(ids->size());
  if (auto s = state.tokens->resolve(*ids, rows); !s) return s;
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
  return gone.empty() ? Status() : state.tokens->expire(gone);
}

}  // namespace paravent::crypto::vault
