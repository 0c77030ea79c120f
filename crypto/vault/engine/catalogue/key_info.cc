#include "crypto/vault/engine/catalogue/key_info.h"

#include <algorithm>

namespace paravent::crypto::vault {

std::string name_of(const NameRegistry& names, const Id& id) {
  const NameRecord* record = names.by_id(id);
  return record == nullptr ? std::string() : record->name;
}

std::optional<WallTime> held_until(const Catalogue& catalogue, const KeyRecord& key, WallTime now) {
  std::optional<WallTime> until;
  for (const auto& [id, hold] : catalogue.holds()) {
    const bool above = key.key_class == KeyClass::tenant || key.key_class == KeyClass::domain;
    if (hold.until <= now || hold.tenant != key.tenant) continue;
    if (!above && hold.purpose != kNoId && hold.purpose != key.purpose) continue;
    if (!until || *until < hold.until) until = hold.until;
  }
  return until;
}

KeyIds key_ids_of(const Catalogue& catalogue) {
  KeyIds out;
  for (const auto& [key_id, record] : catalogue.contexts()) out.emplace(record.parent, key_id);
  return out;
}

std::optional<DueTimes> due_of(const Catalogue& catalogue, const KeyRecord& key) {
  const auto rule = catalogue.retentions().find(key.purpose);
  return due_times(key, rule == catalogue.retentions().end() ? nullptr : &rule->second.rule);
}

KeyInfo info_of(const Catalogue& catalogue, const KeyIds& key_ids, const KeyRecord& key,
                WallTime now) {
  KeyInfo out;
  out.record = key;
  out.record.wrapped = {};
  out.record.check = {};
  out.tenant = name_of(catalogue.names(), key.tenant);
  out.domain = name_of(catalogue.names(), key.domain);
  out.purpose = name_of(catalogue.names(), key.purpose);
  out.primary = catalogue.keys().find(place_of(key)) == key.id;
  const auto [begin, end] = key_ids.equal_range(key.id);
  for (auto it = begin; it != end; ++it) out.key_ids.push_back(it->second);
  std::sort(out.key_ids.begin(), out.key_ids.end());
  if (!is_destroyed(key.condition.state)) out.due = due_of(catalogue, key);
  out.held_until = held_until(catalogue, key, now);
  return out;
}

}  // namespace paravent::crypto::vault
