// Condition: what another field of the same message must say for a rule or a route to apply,
// written `when: { form.consent: [on, '1'] }`.
//
// Holds where the field has one of the values, byte for byte once decoded. `form.NAME` and
// `multipart.NAME` mean the same here: which of the two encodings a form comes in is the sender's
// choice. Plain data.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/selector.h"
#include "policies/model/yaml_document.h"

namespace paravent::policies {

inline constexpr std::size_t kMaxConditions = 64;  // different ones of one route
inline constexpr std::size_t kMaxConditionValues = 64;

struct Condition {
  FieldSelector field;  // of the message itself, without wildcards
  Position at;
  std::vector<std::string> values;  // at least one

  // Whether two conditions hold for the same messages.
  bool same_as(const Condition& other) const;
};

// The map behind `when`: all of its conditions must hold. `key` is the map's own, for diagnostics.
std::vector<Condition> read_conditions(const YamlNode& node, const std::string& key,
                                       Diagnostics& out);

}  // namespace paravent::policies
