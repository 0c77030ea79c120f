// From policies and a vault to a snapshot that workers can carry requests under.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/vault/vault.h"
#include "policies/model/policy.h"
#include "policies/plan/policy_plan.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {

// The names of tenant, domains and purposes that the policy stands on, each once.
crypto::vault::PolicyNames policy_names(const policies::Policy& policy);

struct BuiltSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  crypto::WallTime valid_until;  // the first epoch's end: build again then
};

// Binds every context of the plan in its current epoch; rows and keys are durable when it returns.
crypto::Result<BuiltSnapshot> build_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                             crypto::vault::Vault& vault, const Limits& limits);

// By route id: whether it needs a slot that has no key.
std::vector<bool> routes_needing(const policies::PolicyPlan& plan,
                                 const std::vector<bool>& missing);

// What these policies say of their purposes.
std::vector<crypto::vault::PurposeRetention> purpose_retentions(
    std::span<const policies::Policy> policies);

}  // namespace paravent::proxy::main
