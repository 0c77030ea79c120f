#include "crypto/vault/engine/key_admin.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "crypto/vault/engine/vault_state.h"

namespace paravent::crypto::vault {
namespace {

Error refused(std::string sentence) { return Error(ErrorKind::refused, std::move(sentence)); }

bool kept_from_operators(KeyClass key_class) {
  return key_class == KeyClass::audit_seed || key_class == KeyClass::audit_detail ||
         key_class == KeyClass::subject_store;
}

Destruction destruction_at(const Catalogue& catalogue, std::span<const Id> keys, WallTime at) {
  Destruction out;
  out.at = at;
  const KeyIds key_ids = key_ids_of(catalogue);
  for (const Id& id : keys) {
    out.keys.push_back(info_of(catalogue, key_ids, *catalogue.keys().record(id), at));
  }
  return out;
}

WallTime destroyed_at(const KeyRecord& key) {
  const WallTime plain = key.since[static_cast<std::size_t>(KeyState::destroyed) - 1];
  return plain != WallTime{}
             ? plain
             : key.since[static_cast<std::size_t>(KeyState::destroyed_compromised) - 1];
}

// REQUIRES: the vault's lock.
Status check_locked(const Catalogue& catalogue, const Id& key, KeyOperation operation,
                    WallTime now) {
  const KeyRecord* record = catalogue.keys().record(key);
  if (record == nullptr) return refused("There is no such key.");
  if (kept_from_operators(record->key_class)) {
    return refused("The keys of the audit logs are the retention keeper's alone.");
  }
  if (!after(record->condition, operation)) {
    return refused("A key that is " + std::string(key_state_name(record->condition.state)) +
                   " does not take the operation " + std::string(key_operation_name(operation)) +
                   ".");
  }
  if (operation != KeyOperation::compromise && catalogue.keys().superseded().contains(key)) {
    return refused(
        "An older version of a tenant's or domain's key is kept for reading and follows the "
        "newest, of which " +
        std::string(key_operation_name(operation)) + " can be asked.");
  }
  if (operation == KeyOperation::destroy && held_until(catalogue, *record, now)) {
    return refused("A hold covers this key or something below it; release the hold first.");
  }
  return {};
}

// Each epoch key below that protects gets a new version, all in one change.
Status rotate_epochs_below(Catalogue& catalogue, const Id& key, WallTime now) {
  const KeyTree& tree = catalogue.keys();
  std::vector<Id> epochs;
  for (const Id& id : tree.with_descendants(std::span(&key, 1))) {
    const KeyRecord& record = *tree.record(id);
    if (record.key_class == KeyClass::epoch && tree.usable(id, KeyOperation::protect) &&
        tree.find(place_of(record)) == id) {
      epochs.push_back(id);
    }
  }
  for (const Id& id : epochs) {
    if (auto made = catalogue.rotate(id, now); !made) {
      catalogue.roll_back();
      return made.error();
    }
  }
  return catalogue.commit();
}

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

}  // namespace

std::vector<KeyInfo> KeyAdmin::list() const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *state.catalogue;
  const KeyIds key_ids = key_ids_of(catalogue);
  const WallTime now = state.clock.now();
  std::vector<KeyInfo> out;
  for (const auto& [id, record] : catalogue.keys().records()) {
    out.push_back(info_of(catalogue, key_ids, record, now));
  }
  std::sort(out.begin(), out.end(), is_listed_before);
  return out;
}

bool KeyAdmin::is_listed_before(const KeyInfo& a, const KeyInfo& b) {
  // The id last: keys that are alike in the rest stand in one order, too.
  const auto order = [](const KeyInfo& key) {
    return std::tie(key.tenant, key.record.key_class, key.domain, key.purpose, key.record.epoch,
                    key.record.version, key.record.id);
  };
  return order(a) < order(b);
}

std::optional<KeyInfo> KeyAdmin::find(const Id& key) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *vault_.state_->catalogue;
  const KeyRecord* record = catalogue.keys().record(key);
  if (record == nullptr) return std::nullopt;
  return info_of(catalogue, key_ids_of(catalogue), *record, vault_.state_->clock.now());
}

std::vector<KeyInfo> KeyAdmin::due_before(WallTime until) const {
  std::vector<KeyInfo> out = list();
  std::erase_if(out, [&](const KeyInfo& key) { return !key.due || key.due->disable > until; });
  std::stable_sort(out.begin(), out.end(),
                   [](const KeyInfo& a, const KeyInfo& b) { return a.due->limit < b.due->limit; });
  return out;
}

Status KeyAdmin::check(const Id& key, KeyOperation operation) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  return check_locked(*vault_.state_->catalogue, key, operation, vault_.state_->clock.now());
}

Status KeyAdmin::apply(const Id& key, KeyOperation operation) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const WallTime now = state.clock.now();
  if (auto s = check_locked(*state.catalogue, key, operation, now); !s) return s;
  if (auto s = state.catalogue->apply(key, operation, now); !s) return s;
  if (auto s = state.catalogue->commit(); !s) return s;
  state.withdraw_keys();
  return {};
}

Status KeyAdmin::check_rotate(const Id& key) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const KeyTree& tree = vault_.state_->catalogue->keys();
  const KeyRecord* record = tree.record(key);
  if (record == nullptr) return refused("There is no such key.");
  const KeyPlace place = place_of(*record);
  if (record->key_class != KeyClass::epoch && record->key_class != KeyClass::domain &&
      record->key_class != KeyClass::tenant) {
    return refused("Only the keys of tenants, domains and epochs rotate.");
  }
  if (tree.find(place) != key) {
    return refused("Only the newest version of a key rotates.");
  }
  if (record->key_class == KeyClass::domain &&
      vault_.state_->catalogue->index_version(place.domain).before != 0) {
    return Error(ErrorKind::busy,
                 "The index of this domain is being moved; rotate its key afterwards.");
  }
  if (record->key_class != KeyClass::epoch && record->condition.state == KeyState::suspended) {
    return refused("What is below this key would come back into use; enable it first.");
  }
  if (record->parent != kNoId && !tree.usable(record->parent, KeyOperation::protect)) {
    return refused("The key above this one is disabled or compromised, so no new one is made.");
  }
  return {};
}

Result<Id> KeyAdmin::rotate(const Id& key) {
  if (auto s = check_rotate(key); !s) return s.error();
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const KeyPlace place = place_of(*state.catalogue->keys().record(key));
  if (place.key_class != KeyClass::epoch) return rotate_parent(key, place);
  auto made = state.catalogue->rotate(key, state.clock.now());
  if (!made) {
    state.catalogue->roll_back();
    return made.error();
  }
  if (auto s = state.catalogue->commit(); !s) return s.error();
  state.withdraw_keys();
  return made;
}

// REQUIRES: the vault's lock.
Result<Id> KeyAdmin::rotate_parent(const Id& key, const KeyPlace& place) {
  Vault::State& state = *vault_.state_;
  Catalogue& catalogue = *state.catalogue;
  const WallTime now = state.clock.now();
  const bool compromised = catalogue.keys().record(key)->condition.state == KeyState::compromised;
  auto made = catalogue.rotate_parent(key, state.parts, now);
  // Whoever had the compromised key may have had the epoch keys below it: they only open from now
  // on.
  const auto newest = catalogue.keys().find(place);
  if (compromised && newest && *newest != key) {
    if (auto s = rotate_epochs_below(catalogue, *newest, now); !s && made) made = s.error();
  }
  // Also after an error: the version may be there, with only the old secret still to be erased.
  if (place.key_class == KeyClass::domain) state.renew_index();
  state.withdraw_keys();
  return made;
}

Result<Destruction> KeyAdmin::destroy(std::span<const Id> keys) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const WallTime now = state.clock.now();
  for (const Id& key : keys) {
    if (auto s = check_locked(*state.catalogue, key, KeyOperation::destroy, now); !s) {
      return s.error();
    }
  }
  const auto gone = state.catalogue->destroy(keys, state.parts, now);
  state.withdraw_keys();
  if (!gone) return gone.error();
  return destruction_at(*state.catalogue, *gone, now);
}

Result<Destruction> KeyAdmin::destruction_of(const Id& key) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *vault_.state_->catalogue;
  const KeyRecord* record = catalogue.keys().record(key);
  if (record == nullptr || !is_destroyed(record->condition.state)) {
    return refused("This key is not destroyed, so there is nothing to certify.");
  }
  if (catalogue.secret_unsettled()) {
    return Error(ErrorKind::data,
                 "The old shred secret could not be erased yet; mend what keeps the keys folder "
                 "from being written: the gateway tries again every minute.");
  }
  const WallTime at = destroyed_at(*record);
  std::vector<Id> gone;
  // Of a tenant's or domain's key all versions went together.
  const std::vector<Id> versions =
      record->key_class == KeyClass::tenant || record->key_class == KeyClass::domain
          ? catalogue.keys().versions(place_of(*record))
          : std::vector<Id>{key};
  for (const Id& id : catalogue.keys().with_descendants(versions)) {
    // What went earlier has a certificate of its own.
    if (destroyed_at(*catalogue.keys().record(id)) == at) gone.push_back(id);
  }
  return destruction_at(catalogue, gone, at);
}

bool KeyAdmin::erasure_is_due() const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  return state.catalogue->secret_unsettled() ||
         (state.renewal_failed && state.subjects->owes_renewal());
}

Status KeyAdmin::finish_erasure() {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  if (!state.subjects->owes_renewal()) return state.catalogue->settle_secret();
  return state.renew_subjects();
}

Result<Id> KeyAdmin::create_tenant(std::string_view name) {
  const std::array policies{PolicyNames{std::string(name), {}, {}}};
  {
    const std::scoped_lock lock(vault_.state_->mutex);
    if (vault_.state_->catalogue->names().find(NameKind::tenant, kNoId, name)) {
      return Error(ErrorKind::configuration, "There is a tenant of that name already.");
    }
  }
  if (auto s = vault_.register_names(policies); !s) return s.error();
  return *vault_.tenant_id(name);
}

std::optional<Id> KeyAdmin::tenant_key(const Id& tenant) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const auto versions =
      vault_.state_->catalogue->keys().versions({.key_class = KeyClass::tenant, .tenant = tenant});
  return versions.empty() ? std::nullopt : std::optional(versions.back());
}

Status KeyAdmin::check_destroy_tenant(const Id& tenant) const {
  const auto key = tenant_key(tenant);
  if (!key) return refused("There is no such tenant.");
  return check(*key, KeyOperation::destroy);
}

Result<Destruction> KeyAdmin::destroy_tenant(const Id& tenant) {
  const auto key = tenant_key(tenant);
  if (!key) return refused("There is no such tenant.");
  return destroy(std::span(&*key, 1));
}

Status KeyAdmin::replace_root(const RootKey& next) {
  const std::scoped_lock lock(vault_.state_->mutex);
  return vault_.state_->catalogue->replace_root(next);
}

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
    // A retention that is no longer stated destroys nothing; the last one is kept in case it was
    // left out by mistake, with nothing pending.
    if (!stated.rule && first) continue;
    RetentionRecord next = first ? RetentionRecord{} : known->second;
    next.pending.reset();
    if (stated.rule && !first && shortens(next.rule, *stated.rule)) {
      next.pending = stated.rule;
      // Only what was not asked before freezes anew.
      shortened = true;
    } else if (stated.rule) {
      next.rule = *stated.rule;
    }
    if (first || next != known->second) catalogue.put_retention(*purpose, next);
  }
  if (shortened && !keeper.frozen_by(Freeze::retention)) {
    keeper.freeze(Freeze::retention, state.clock.now());
    catalogue.put_keeper(keeper);
  }
  return catalogue.commit();
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
  const RetentionRule stated{false, life, {}};
  RetentionRecord next;
  if (!first) {
    next.rule = known->second.rule;
  } else {
    next.rule = has_past ? RetentionRule{false, kAuditDetailLife, {}} : stated;
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
  keeper.seen = state.clock.now();
  catalogue.put_keeper(keeper);
  return catalogue.commit();
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

std::uint64_t KeyAdmin::changes() const {
  const std::scoped_lock lock(vault_.state_->mutex);
  return vault_.state_->changes;
}

void KeyAdmin::add_part(RenewalPart& part) {
  const std::scoped_lock lock(vault_.state_->mutex);
  vault_.state_->parts.push_back(&part);
}

}  // namespace paravent::crypto::vault
