#include "crypto/vault/engine/upkeep/key_operation_check.h"

#include "crypto/vault/engine/catalogue/key_info.h"

namespace paravent::crypto::vault {
namespace {

bool kept_from_operators(KeyClass key_class) {
  return key_class == KeyClass::audit_seed || key_class == KeyClass::audit_detail ||
         key_class == KeyClass::subject_store;
}

}  // namespace

Status check_operation(const Catalogue& catalogue, const Id& key, KeyOperation operation,
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

}  // namespace paravent::crypto::vault
