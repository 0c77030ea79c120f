// The field that carries a pseudonym of the epoch before, beside the one of now, while the two
// overlap (`previous: NAME`): in a flat carrier the field of that name, in json the member of that
// name beside the field's own.

#pragma once

#include <variant>

#include "policies/model/policy.h"

namespace paravent::policies {

// A fault when the name cannot stand beside the field. REQUIRES: rule.has_selector and
// rule.previous.value is not empty.
std::variant<FieldSelector, SelectorFault> previous_selector(const Rule& rule);

}  // namespace paravent::policies
