// Reads what a policy says about levels by kind, budgets and four eyes. Faults go to the
// Diagnostics.

#pragma once

#include "policies/model/policy.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {

// kinds, budget, budget-together, protect, protect-budget, hours.
void read_role_terms(MapReader& map, Role& role);

FourEyes read_four_eyes(const YamlNode& node, Diagnostics& out);

// Every role and purpose that is named there exists, and somebody can approve.
void check_four_eyes(const Policy& policy, Diagnostics& out);

}  // namespace paravent::policies
