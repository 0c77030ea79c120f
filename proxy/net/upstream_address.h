// UpstreamAddress: where one upstream of a plan is, resolved. Names are looked up when a plan is
// published, on the publisher's thread, never on a worker: a look-up blocks.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policies/plan/policy_plan.h"
#include "proxy/net/socket.h"

namespace paravent::proxy::net {

// Immutable once made; shared by all workers. `key` tells upstreams apart across plans.
struct UpstreamAddress {
  std::string key;
  std::vector<SocketAddress> addresses;  // at least one, in the resolver's order
};

using UpstreamAddresses = std::vector<std::shared_ptr<const UpstreamAddress>>;  // by plan index

// Resolves every upstream of the plan. A name that cannot be looked up now keeps its address in
// `previous`; without one: unreachable. An upstream that is one of `own`, the addresses this
// process listens on, is a configuration error: the gateway would call itself for ever.
crypto::Result<UpstreamAddresses> resolve_upstreams(const policies::PolicyPlan& plan,
                                                    std::span<const SocketAddress> own,
                                                    const UpstreamAddresses& previous);

}  // namespace paravent::proxy::net
