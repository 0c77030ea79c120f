// What one rule of the model becomes in the plan. Pure functions; the compiler adds what depends on
// other rules (slots, indexes, relationships). Internal to policies/plan.

#pragma once

#include <optional>

#include "crypto/vault/api/messages.h"
#include "policies/model/policy.h"
#include "policies/plan/field_action.h"

namespace paravent::policies {

// Everything but slot, ids and indexes. REQUIRES: the rule has a selector and an action.
FieldAction compile_rule(const Policy& policy, const Route& route, const Rule& rule);

// The context that a keyed rule needs. REQUIRES: is_keyed(*rule.action), a policy without errors.
crypto::vault::ContextSpec context_of(const Policy& policy, const Route& route, const Rule& rule);
// The same for `unlisted: encrypt` and `client-address: pseudonym`.
crypto::vault::ContextSpec unlisted_context(const Policy& policy, const Route& route);
// The same for a route's variant under a sealed vault.
crypto::vault::ContextSpec unlisted_when_sealed(const Policy& policy, const Route& route);
// The route as it works while the vault is sealed. REQUIRES: route.when_sealed.
Route when_sealed_variant(const Route& route);
crypto::vault::ContextSpec subject_context(const Policy& policy, const Route& route);
crypto::vault::ContextSpec address_context(const Policy& policy, const Route& route);

// The rule that drops what a sender writes where `rule.previous` will stand; nothing when the rule
// has none, or the route lists that very field. REQUIRES: the rule has a selector and an action.
std::optional<Rule> drop_of_previous(const Route& route, const Rule& rule);

// The rule for the names of files that go on, where the policy has none: only their ending stays.
std::optional<Rule> default_name_rule(const Route& route, const Rule& rule);
// Whether a streamed body keeps its size behind the head of its first file.
bool has_constant_size(const Route& route);

}  // namespace paravent::policies
