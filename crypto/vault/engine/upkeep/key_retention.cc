// What KeyAdmin sets about how long keys live: retentions, the freeze and its end, holds.

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/key_operation_check.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

Result<Id> purpose_id(const Catalogue& catalogue, const Id& tenant, std::string_view purpose) {
  const auto id = catalogue.names().find(NameKind::purpose, tenant, purpose);
  if (id) return *id;
  return Error(ErrorKind::configuration,
               "The vault does not know the purpose \"" + std::string(purpose) + "\".");
}

Result<Id> tenant_named(const Catalogue& catalogue, std::string_view tenant) {
  const auto id = catalogue.names().find(NameKind::tenant, kNoId, tenant);
  if (id) return *id;
  return Error(ErrorKind::configuration,
               "The vault does not know the tenant \"" + std::string(tenant) + "\".");
}

// Whether anything older than a day is there that was collected for the purpose.
bool has_data(const Catalogue& catalogue, const SubjectStore& subjects, const Id& purpose,
              WallTime now) {
  const WallTime yesterday = now - std::chrono::hours(24);
  const auto& keys = catalogue.keys().records();
  const bool has_key = std::any_of(keys.begin(), keys.end(), [&](const auto& entry) {
    const KeyRecord& key = entry.second;
    return key.key_class == KeyClass::epoch && key.purpose == purpose && key.made < yesterday &&
           !is_destroyed(key.condition.state);
  });
  return has_key || subjects.read([&](const SubjectTable& table) {
    bool found = false;
    table.for_each([&](const Subject& subject) {
      for (const SubjectKey* key : table.keys_of(subject)) {
        found = found ||
                (key->made.purpose == purpose && time_of_day(key->made.created_day) < yesterday);
      }
    });
    return found;
  });
}

}  // namespace

Status KeyAdmin::set_retentions(std::span<const PurposeRetention> retentions) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  KeeperRecord keeper = catalogue.keeper();
  bool shortened = false;
  for (const PurposeRetention& stated : retentions) {
    const auto tenant = tenant_named(catalogue, stated.tenant);
    if (!tenant) return tenant.error();
    const auto purpose = purpose_id(catalogue, *tenant, stated.purpose);
    if (!purpose) return purpose.error();
    const auto known = catalogue.retentions().find(*purpose);
    const bool first = known == catalogue.retentions().end();
    // A retention that is no longer stated ends nobody; the last one is kept for the epochs, in
    // case it was left out by mistake, with nothing pending.
    if (!stated.rule && first) continue;
    // What was kept without end is destroyed by a first retention as well.
    const bool endless = first && has_data(catalogue, *state.subjects, *purpose, state.clock.now());
    RetentionRecord next = endless ? RetentionRecord{kKeepForEver, {}}
                           : first ? RetentionRecord{}
                                   : known->second;
    next.pending.reset();
    if (stated.rule && (!first || endless) && shortens(next.rule, *stated.rule)) {
      next.pending = stated.rule;
      // Only what was not asked before freezes anew.
      shortened = true;
    } else if (stated.rule) {
      next.rule = *stated.rule;
    } else {
      next.rule.from = CountsFrom::event;
    }
    if (first || next != known->second) catalogue.put_retention(*purpose, next);
  }
  if (shortened && !keeper.frozen_by(Freeze::retention)) {
    keeper.freeze(Freeze::retention, state.clock.now());
    catalogue.put_keeper(keeper);
  }
  if (auto s = catalogue.commit(); !s) return s.error();
  state.renew_uses();
  return {};
}

Status KeyAdmin::count_from(std::span<const PurposeRetention> retentions) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  for (const PurposeRetention& stated : retentions) {
    if (!stated.rule) continue;
    const auto tenant = tenant_named(catalogue, stated.tenant);
    if (!tenant) return tenant.error();
    const auto purpose = purpose_id(catalogue, *tenant, stated.purpose);
    if (!purpose) return purpose.error();
    const auto known = catalogue.retentions().find(*purpose);
    if (known == catalogue.retentions().end()) continue;
    RetentionRecord next = known->second;
    next.rule.from = stated.rule->from;
    // What ends nobody stays until a load that is not undone says otherwise, and somebody confirms
    // it: it may have been waiting for that before.
    if (next == known->second || shortens(known->second.rule, next.rule)) continue;
    catalogue.put_retention(*purpose, next);
  }
  if (auto s = catalogue.commit(); !s) return s.error();
  state.renew_uses();
  return {};
}

Status KeyAdmin::set_audit_retention(CalendarPeriod life) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  const WallTime now = state.clock.now();
  // Audit keys belong to no purpose: their retention stands where that of kNoId would.
  const auto known = catalogue.retentions().find(kNoId);
  const auto& keys = catalogue.keys().records();
  const bool has_past = std::any_of(keys.begin(), keys.end(), [now](const auto& entry) {
    return entry.second.key_class == KeyClass::audit_detail && epoch_end(entry.second.epoch) <= now;
  });
  const bool first = known == catalogue.retentions().end();
  const RetentionRule stated{CountsFrom::collection, life, {}};
  RetentionRecord next;
  if (!first) {
    next.rule = known->second.rule;
  } else {
    next.rule = has_past ? RetentionRule{CountsFrom::collection, kAuditDetailLife, {}} : stated;
  }
  if (shortens(next.rule, stated)) {
    next.pending = stated;
    KeeperRecord keeper = catalogue.keeper();
    if (!keeper.frozen_by(Freeze::retention)) {
      keeper.freeze(Freeze::retention, now);
      catalogue.put_keeper(keeper);
    }
  } else {
    next.rule = stated;
  }
  if (first || next != known->second) catalogue.put_retention(kNoId, next);
  return catalogue.commit();
}

FreezeInfo KeyAdmin::freeze_info() const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *vault_.state_->catalogue;
  FreezeInfo out;
  out.keeper = catalogue.keeper();
  for (const auto& [purpose, record] : catalogue.retentions()) {
    if (!record.pending) continue;
    if (purpose == kNoId) {
      out.pending.push_back({std::string(), "audit", record});
      continue;
    }
    const NameRecord* name = catalogue.names().by_id(purpose);
    if (name == nullptr) continue;
    out.pending.push_back({name_of(catalogue.names(), name->owner), name->name, record});
  }
  return out;
}

Status KeyAdmin::confirm() {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  std::vector<std::pair<Id, RetentionRecord>> changed;
  for (const auto& [purpose, record] : catalogue.retentions()) {
    if (record.pending) changed.push_back({purpose, {*record.pending, std::nullopt}});
  }
  for (const auto& [purpose, record] : changed) catalogue.put_retention(purpose, record);
  KeeperRecord keeper = catalogue.keeper();
  keeper.freezes = 0;
  keeper.frozen_since = {};
  const WallTime now = state.clock.now();
  keeper.seen = now;
  catalogue.put_keeper(keeper);
  const bool was_behind = catalogue.clock_is_behind(now);
  catalogue.trust_clock(now);
  if (auto s = catalogue.commit(); !s) return s.error();
  state.renew_uses();
  // What could not be made is made now.
  if (was_behind) state.withdraw_keys();
  return {};
}

bool KeyAdmin::clock_is_behind() const {
  const std::scoped_lock lock(vault_.state_->mutex);
  return vault_.state_->catalogue->clock_is_behind(vault_.state_->clock.now());
}

Result<Id> KeyAdmin::hold(std::string_view tenant, std::string_view purpose,
                          std::optional<SubjectReference> subject, std::string_view reason,
                          WallTime until) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  const auto owner = tenant_named(catalogue, tenant);
  if (!owner) return owner.error();
  HoldRecord record;
  record.id = random_id();
  record.tenant = *owner;
  if (!purpose.empty()) {
    const auto id = purpose_id(catalogue, *owner, purpose);
    if (!id) return id.error();
    record.purpose = *id;
  }
  record.subject = subject;
  record.made = state.clock.now();
  record.until = until;
  record.reason = reason;
  if (reason.empty() || reason.size() > kMaxHoldReason || until <= record.made) {
    return Error(ErrorKind::usage,
                 "A hold needs a reason of 1 to 1000 bytes and an end in the future.");
  }
  catalogue.put_hold(record);
  if (auto s = catalogue.commit(); !s) return s.error();
  return record.id;
}

Status KeyAdmin::release(const Id& hold) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  if (!state.catalogue->holds().contains(hold)) return refused("There is no such hold.");
  state.catalogue->remove_hold(hold);
  return state.catalogue->commit();
}

std::vector<HoldInfo> KeyAdmin::holds() const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *vault_.state_->catalogue;
  std::vector<HoldInfo> out;
  for (const auto& [id, record] : catalogue.holds()) {
    out.push_back({record, name_of(catalogue.names(), record.tenant),
                   name_of(catalogue.names(), record.purpose)});
  }
  return out;
}

}  // namespace paravent::crypto::vault
