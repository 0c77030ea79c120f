#include "crypto/vault/engine/reverse/reverse_contexts.h"

#include <array>
#include <span>
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

bool is_out_of_use(const KeyTree& keys, const Id& id) {
  const KeyRecord* found = keys.record(id);
  if (found == nullptr || keys.usable(id, KeyOperation::open)) return false;
  while (found != nullptr) {
    if (is_destroyed(found->condition.state)) return false;
    // Classes descend strictly, so this ends.
    const KeyRecord* parent = keys.record(found->parent);
    if (parent != nullptr && parent->key_class >= found->key_class) return false;
    found = parent;
  }
  return true;
}

Result<Fetched> fetch(TokenStore& store, const Id& id) {
  Fetched fetched{id, {}};
  std::array<std::optional<std::string>, 1> rows;
  if (!store.resolve(std::span(&fetched.id, 1), rows)) return Error(ErrorKind::unreachable);
  if (!rows[0]) return unavailable();
  fetched.bytes = std::move(*rows[0]);
  return fetched;
}

Id id_of(const ParsedToken& token) { return id_from(as_text(token.payload)); }

Id id_to_ask_for(Id id, bool own) {
  const auto turned = static_cast<std::uint8_t>(own ? 0x00 : 0xff);
  for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(byte ^ turned);
  return id;
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
