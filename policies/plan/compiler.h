// compile(): from checked policies, one per tenant, to the plan of the data path. Ids, slots and
// indexes are given in the order of the policies, so equal input gives an equal plan.

#pragma once

#include <memory>
#include <span>

#include "crypto/base/result.h"
#include "policies/model/policy.h"
#include "policies/plan/policy_plan.h"

namespace paravent::policies {

// ErrorKind::configuration, with a sentence, for what only the policies together can get wrong:
// none at all, two of one tenant, routes or `elsewhere` that two tenants claim. Also for a policy
// that was loaded with errors.
crypto::Result<std::shared_ptr<const PolicyPlan>> compile(std::span<const Policy> policies);

}  // namespace paravent::policies
