#include "crypto/vault/engine/upkeep/key_admin.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "crypto/vault/engine/upkeep/key_operation_check.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// Each epoch key below that protects gets a new version, all in one change. One that is out of use,
// by itself or by its domain, protects no more once it is back: its next use makes a version.
Status rotate_epochs_below(Catalogue& catalogue, const Id& key, WallTime now) {
  const KeyTree& tree = catalogue.keys();
  std::vector<Id> epochs;
  for (const Id& id : tree.with_descendants(std::span(&key, 1))) {
    const KeyRecord& record = *tree.record(id);
    if (record.key_class != KeyClass::epoch || tree.find(place_of(record)) != id) continue;
    if (tree.usable(id, KeyOperation::protect)) {
      epochs.push_back(id);
    } else {
      catalogue.end_protection(id, now);
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
  return check_operation(*vault_.state_->catalogue, key, operation, vault_.state_->clock.now());
}

Status KeyAdmin::apply(const Id& key, KeyOperation operation) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const WallTime now = state.clock.now();
  if (auto s = check_operation(*state.catalogue, key, operation, now); !s) return s;
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

Status KeyAdmin::replace_root(const RootKey& next) {
  const std::scoped_lock lock(vault_.state_->mutex);
  return vault_.state_->catalogue->replace_root(next);
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
