#include "proxy/main/installation/snapshot_builder.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace paravent::proxy::main {

crypto::vault::PolicyNames policy_names(const policies::Policy& policy) {
  crypto::vault::PolicyNames names;
  names.tenant = policy.tenant.value;
  std::set<std::string> domains;
  for (const policies::Route& route : policy.routes) {
    // A route that names no recipient has no keys, so no domain that they would lie in.
    std::string domain = policies::domain_of(policy, route);
    if (!domain.empty()) domains.insert(std::move(domain));
  }
  names.domains.assign(domains.begin(), domains.end());
  for (const policies::Purpose& purpose : policy.purposes) names.purposes.push_back(purpose.name);
  return names;
}

std::vector<bool> routes_needing(const policies::PolicyPlan& plan,
                                 const std::vector<bool>& missing) {
  std::vector<bool> routes(plan.routes().size());
  const auto needs = [&](std::uint32_t slot) { return slot < missing.size() && missing[slot]; };
  for (const policies::FieldAction* action : plan.actions()) {
    if (needs(action->slot)) routes[plan.action_routes()[action->id]] = true;
  }
  for (const auto& route : plan.routes()) {
    if (needs(route->address_slot) || needs(route->unlisted_action.slot) ||
        needs(route->subject_slot)) {
      routes[route->id] = true;
    }
  }
  return routes;
}

crypto::Result<BuiltSnapshot> build_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                             crypto::vault::Vault& vault, const Limits& limits) {
  auto snapshot = std::make_shared<Snapshot>();
  BuiltSnapshot built;
  built.valid_until = crypto::WallTime::max();
  std::vector<bool> missing;
  const std::span<const crypto::vault::ContextSpec> specs(plan->context_specs());
  for (const policies::TenantPlan& tenant : plan->tenants()) {
    auto bindings = vault.bind(tenant.name, specs.subspan(tenant.first_slot, tenant.slots));
    if (!bindings) return bindings.error();
    for (crypto::vault::Binding& binding : *bindings) {
      built.valid_until = std::min(built.valid_until, binding.valid_until);
      missing.push_back(!binding.available);
      // Nothing protects with it: its routes are refused before.
      if (!binding.available) binding.key.algorithm = crypto::Algorithm::vault_token;
      snapshot->seal_key_ids.push_back(binding.seal_key_id);
      snapshot->protection_keys.push_back(std::move(binding.key));
      snapshot->previous_keys.push_back(std::move(binding.previous));
    }
  }
  if (std::find(missing.begin(), missing.end(), true) != missing.end()) {
    snapshot->routes_without_keys = routes_needing(*plan, missing);
  }
  snapshot->plan = std::move(plan);
  snapshot->limits = limits;
  built.snapshot = std::move(snapshot);
  return built;
}

namespace {

crypto::vault::CountsFrom counts_from(policies::RetentionFrom from) {
  switch (from) {
    case policies::RetentionFrom::collection:
      return crypto::vault::CountsFrom::collection;
    case policies::RetentionFrom::last_contact:
      return crypto::vault::CountsFrom::contact;
    case policies::RetentionFrom::contract_end:
    case policies::RetentionFrom::case_closed:
      break;
  }
  return crypto::vault::CountsFrom::event;
}

}  // namespace

std::vector<crypto::vault::PurposeRetention> purpose_retentions(
    std::span<const policies::Policy> policies) {
  std::vector<crypto::vault::PurposeRetention> out;
  for (const policies::Policy& policy : policies) {
    for (const policies::Purpose& purpose : policy.purposes) {
      out.push_back({policy.tenant.value, purpose.name, std::nullopt});
      if (!purpose.retention) continue;
      const policies::Retention& stated = *purpose.retention;
      out.back().rule = {counts_from(stated.from), stated.active,
                         stated.archive ? stated.archive->value : policies::Period{}};
    }
  }
  return out;
}

}  // namespace paravent::proxy::main
