// KeyInfo: a key as a list shows it, read from the catalogue. Pure functions of it; the vault
// serialises.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {

// No wrapped bytes, no check value.
struct KeyInfo {
  KeyRecord record;
  std::string tenant;  // names, as they are now; empty where the key has none
  std::string domain;
  std::string purpose;
  bool primary = false;
  std::vector<std::uint32_t> key_ids;  // of the context rows that hang on it, ascending
  std::optional<DueTimes> due;
  std::optional<WallTime> held_until;
};

// The context rows of each key, by the key.
using KeyIds = std::multimap<Id, std::uint32_t>;
KeyIds key_ids_of(const Catalogue& catalogue);

KeyInfo info_of(const Catalogue& catalogue, const KeyIds& key_ids, const KeyRecord& key,
                WallTime now);

// When it ends by itself, by the retention of its purpose.
std::optional<DueTimes> due_of(const Catalogue& catalogue, const KeyRecord& key);

// The latest end of the holds that cover the key, or anything below it, now. A person's values lie
// under the epoch keys of their purpose, so a hold on a person covers these too.
std::optional<WallTime> held_until(const Catalogue& catalogue, const KeyRecord& key, WallTime now);

// The current name of a tenant, domain or purpose; empty where there is none.
std::string name_of(const NameRegistry& names, const Id& id);

}  // namespace paravent::crypto::vault
