// The parts of the reader of one rule: each reads the keys of one family of actions and says which
// of them stand beside the wrong action. Internal to policies/model.

#pragma once

#include <string_view>

#include "policies/model/policy.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {

// Reports `key`, when present, unless it `fits`: it belongs to `what` alone. Takes note of it.
void belongs_to(MapReader& map, std::string_view key, bool fits, std::string_view what);

// `file` and what belongs to it. Whether the key is there, which makes `do` optional.
bool read_file(MapReader& map, Rule& rule);

// Adds to a route the rules about the content of files that are encrypted, where it has none.
void add_content_rules(Route& route);

// `to` of generalise and its arguments. `to: shifted-date` turns the action into shift_date.
// REQUIRES: rule.action.
void read_generalisation(MapReader& map, Rule& rule);

// The keys of pseudonymise, tokenise and encrypt. `to: NAME` of encrypt turns the action into a
// sealing one. REQUIRES: rule.action.
void read_protection(MapReader& map, Rule& rule);

// Every key that the two above know, for a rule without a known action: only taken note of.
void skip_dependent_keys(MapReader& map);

}  // namespace paravent::policies
