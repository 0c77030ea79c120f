#include "crypto/vault/engine/reverse/reverse_contexts.h"

#include <utility>

#include "crypto/vault/engine/catalogue/binding_plan.h"

namespace paravent::crypto::vault {

std::string name_of(const NameRegistry& names, std::string_view raw_id) {
  const NameRecord* record = names.by_id(id_from(raw_id));
  return record == nullptr ? std::string() : record->name;
}

Result<Opened> context_of(const Catalogue& catalogue, std::uint32_t key_id, Algorithm algorithm) {
  const ContextRecord* record = catalogue.context(key_id);
  if (record == nullptr || record->row.algorithm != algorithm) return unavailable();
  Opened opened{record, WallTime::min()};
  if (record->parent == kNoId || is_sealed(algorithm)) return opened;
  const KeyRecord* key = catalogue.keys().record(record->parent);
  // Destroyed, disabled, compromised: one answer.
  if (key == nullptr || !catalogue.keys().usable(record->parent, KeyOperation::open)) {
    return unavailable();
  }
  opened.made = key->made;
  return opened;
}

std::optional<Kind> kind_of(const ContextRow& row) {
  return kind_from_number(static_cast<std::uint8_t>(row.normaliser_id >> 8U));
}

void describe_context(const NameRegistry& names, const ContextRow& row, TokenDescription& out) {
  out.tenant_id = id_from(row.tenant_id);
  out.tenant = name_of(names, row.tenant_id);
  out.domain = name_of(names, row.domain_id);
  out.space = name_of(names, row.space_id);
  out.epoch = row.epoch;
}

}  // namespace paravent::crypto::vault
