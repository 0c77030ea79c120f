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
  std::string name;     // of a flat field, as it is looked for: folded where the route folds names
  Position at;
  std::vector<std::string> values;  // at least one; in order

  // Whether both ask the same field.
  bool same_field(const Condition& other) const;
  // Whether two conditions hold for the same messages.
  bool same_as(const Condition& other) const;
  // Whether it holds wherever `other` does; may miss some such pairs.
  bool follows_from(const Condition& other) const;
  // Whether both ask the same field for values of which none is common.
  bool contradicts(const Condition& other) const;
};

// The map behind `when`: all of its conditions must hold. `key` is the map's own, for diagnostics.
std::vector<Condition> read_conditions(const YamlNode& node, const std::string& key,
                                       Diagnostics& out);
// On a route with php-names: what PHP takes for one name is one field.
void fold_names(std::vector<Condition>& conditions);

}  // namespace paravent::policies
