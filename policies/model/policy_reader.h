// The reader of the policy file: from a YAML tree to the model. Knows the keys and the words; what
// they mean together is checked afterwards (checks.h). Internal to policies/model.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/policy.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {

inline constexpr std::uint32_t kPolicyVersion = 1;

inline constexpr std::array<Word<OnError>, 4> kOnErrorWords = {
    {{"refuse", OnError::refuse},
     {"drop", OnError::drop},
     {"mask", OnError::mask},
     {"protect-raw", OnError::protect_raw}}};

// What could be read; the faults are in `out`.
Policy read_policy(const YamlNode& root, Diagnostics& out);

Route read_route(const YamlNode& node, std::size_t index, Diagnostics& out);
Elsewhere read_elsewhere(const YamlNode& node, Diagnostics& out);
// Appends the rule, and behind it its `else` where it has one.
void read_rule(const YamlEntry& entry, const std::string& fields_key, Diagnostics& out,
               std::vector<Rule>& rules);

// The keys `client-address`, `fixed-address` and `address-shape` of a route or of elsewhere. A
// pseudonym needs a key, and so a recipient and a purpose, which elsewhere has not: `has_keys`.
void read_client_address(MapReader& map, bool has_keys, ClientAddress& mode, std::string& fixed,
                         Shape& shape);
Located<UpstreamAddress> read_upstream(MapReader& map, std::vector<UpstreamAddress>& alternatives);
std::vector<Located<std::string>> read_methods(MapReader& map, std::string_view name);

}  // namespace paravent::policies
