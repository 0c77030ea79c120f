// The checks of a policy: what its parts mean together. Each adds its findings to `out` and goes
// on. They expect what the reader made, faults included, and never report the same fault again.
// Internal to policies/model.

#pragma once

#include <cstddef>

#include "policies/model/diagnostics.h"
#include "policies/model/policy.h"

namespace paravent::policies {

// Countries and safeguards (GDPR chapter V); the tenant-wide settings.
void check_recipients(const Policy& policy, Diagnostics& out);
// Roles and retention.
void check_purposes(const Policy& policy, Diagnostics& out);
// References, subjects, duplicate and unreachable routes, elsewhere.
void check_routes(const Policy& policy, Diagnostics& out);
// Each rule by itself: kind against action, lengths, headers, duplicates, epochs.
void check_rules(const Policy& policy, Diagnostics& out);
// Conditions that never hold.
void check_when(const Policy& policy, Diagnostics& out);
// Fields inside of opened fields.
void check_inside(const Policy& policy, Diagnostics& out);
// Files and their names.
void check_files(const Policy& policy, Diagnostics& out);
// One space, one kind.
void check_spaces(const Policy& policy, Diagnostics& out);

// Public keys and the time zone.
void check_settings(const Policy& policy, Diagnostics& out);
// Recipients whose surrogates can be joined.
void lint_domains(const Policy& policy, Diagnostics& out);

// What a keyed rule writes: the least and, where the value's length matters, a growing number of
// bytes. Of a text whose length varies within bounds, the longest.
struct ResultLength {
  std::size_t least = 0;
  bool grows = false;
};
// REQUIRES: the rule has a keyed action.
ResultLength result_length(const Policy& policy, const Route& route, const Rule& rule);

}  // namespace paravent::policies
