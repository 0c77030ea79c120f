// What KeyAdmin destroys: keys in one batch, a tenant whole; what is owed of it, and what can be
// certified.

#include <mutex>
#include <string>
#include <vector>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/key_operation_check.h"
#include "crypto/vault/engine/vault/erased_rows.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

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

}  // namespace

Result<Destruction> KeyAdmin::destroy(std::span<const Id> keys) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const WallTime now = state.clock.now();
  for (const Id& key : keys) {
    if (auto s = check_operation(*state.catalogue, key, KeyOperation::destroy, now); !s) {
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
         (state.renewal_failed && state.subjects->owes_renewal()) ||
         !state.subjects->erased().empty();
}

Status KeyAdmin::finish_erasure() {
  Vault::State& state = *vault_.state_;
  const Status removed = remove_rows_of_erased(*state.subjects, *state.tokens);
  Status renewed;
  {
    const std::scoped_lock lock(state.mutex);
    renewed = state.finish_renewal();
  }
  const Status forgotten = state.tokens->forget_removed();
  if (!renewed) return renewed;
  return removed ? forgotten : removed;
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

}  // namespace paravent::crypto::vault
