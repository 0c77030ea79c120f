// What only several policies together can get wrong.

#pragma once

#include <optional>
#include <span>

#include "crypto/base/result.h"
#include "policies/model/policy.h"

namespace paravent::policies {

// The first fault, ErrorKind::configuration with a sentence: no policy at all or one with errors,
// two of one tenant, routes or `elsewhere` that two tenants claim.
std::optional<crypto::Error> find_conflict(std::span<const Policy> policies);

}  // namespace paravent::policies
