#include "proxy/main/snapshot_builder.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace paravent::proxy::main {

crypto::vault::PolicyNames policy_names(const policies::Policy& policy) {
  crypto::vault::PolicyNames names;
  names.tenant = policy.tenant.value;
  std::set<std::string> domains;
  for (const policies::Route& route : policy.routes) {
    domains.insert(policies::domain_of(policy, route));
  }
  names.domains.assign(domains.begin(), domains.end());
  for (const policies::Purpose& purpose : policy.purposes) names.purposes.push_back(purpose.name);
  return names;
}

crypto::Result<BuiltSnapshot> build_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                             crypto::vault::Vault& vault, const Limits& limits) {
  auto snapshot = std::make_shared<Snapshot>();
  BuiltSnapshot built;
  built.valid_until = crypto::WallTime::max();
  const std::span<const crypto::vault::ContextSpec> specs(plan->context_specs());
  for (const policies::TenantPlan& tenant : plan->tenants()) {
    auto bindings = vault.bind(tenant.name, specs.subspan(tenant.first_slot, tenant.slots));
    if (!bindings) return bindings.error();
    for (crypto::vault::Binding& binding : *bindings) {
      built.valid_until = std::min(built.valid_until, binding.valid_until);
      snapshot->seal_key_ids.push_back(binding.seal_key_id);
      snapshot->protection_keys.push_back(std::move(binding.key));
      snapshot->previous_keys.push_back(std::move(binding.previous));
    }
  }
  snapshot->plan = std::move(plan);
  snapshot->limits = limits;
  built.snapshot = std::move(snapshot);
  return built;
}

std::shared_ptr<const Snapshot> sealed_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                                const Limits& limits) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->plan = std::move(plan);
  snapshot->limits = limits;
  snapshot->keys_available = false;
  return snapshot;
}

}  // namespace paravent::proxy::main
