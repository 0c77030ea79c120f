// UpstreamAddress: where one target of a plan's upstreams is, resolved, and how it is spoken to.
// Names are looked up when a plan is published and again from time to time (upstream_keeper.h),
// never on a worker: a look-up blocks.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policies/plan/policy_plan.h"
#include "proxy/net/socket.h"
#include "proxy/net/tls/client_context.h"
#include "proxy/net/upstream_circuit.h"

namespace paravent::proxy::net {

// What the gateway file says about a target.
struct UpstreamSetting {
  std::shared_ptr<const tls::ClientContext> tls;  // of https targets
  std::string health_path;                        // empty: only what requests tell
  std::uint32_t health_seconds = 5;
};
using UpstreamSettings = std::map<std::string, UpstreamSetting>;  // by UpstreamTarget::text

// Whether a target works, as all workers know it: read before each choice; stays with its target
// from one plan to the next.
struct UpstreamHealth {
  std::atomic<bool> up{true};  // what active checks say; written by the keeper's thread
  UpstreamCircuit circuit;     // what requests met
};

// Immutable once made, but for the health; shared by all workers. `key` tells targets apart across
// plans.
struct UpstreamAddress {
  std::string key;
  policies::UpstreamTarget target;
  std::vector<SocketAddress> addresses;  // at least one, in the resolver's order
  UpstreamSetting setting;
  std::shared_ptr<UpstreamHealth> health;
};

// By plan index, then by target.
using UpstreamAddresses = std::vector<std::vector<std::shared_ptr<const UpstreamAddress>>>;

// The addresses of a host name now; empty when it cannot be looked up. Blocks.
std::vector<SocketAddress> look_up(const policies::UpstreamTarget& target);
// What is asked for names: the above but in tests.
using LookUp = std::function<std::vector<SocketAddress>(const policies::UpstreamTarget&)>;

// Resolves every upstream of the plan. A name that cannot be looked up now keeps its address in
// `previous`; without one: unreachable. A target that is one of `own`, the addresses this process
// listens on, is a configuration error: the gateway would call itself for ever.
crypto::Result<UpstreamAddresses> resolve_upstreams(const policies::PolicyPlan& plan,
                                                    const UpstreamSettings& settings,
                                                    std::span<const SocketAddress> own,
                                                    const UpstreamAddresses& previous,
                                                    const LookUp& ask);

// Whether a name has to be looked up at all.
bool has_name(const policies::UpstreamTarget& target);
// Whether requests to one of `addresses` would come to one of `own`.
bool leads_to_us(std::span<const SocketAddress> addresses, std::span<const SocketAddress> own);
bool same_addresses(std::span<const SocketAddress> a, std::span<const SocketAddress> b);

}  // namespace paravent::proxy::net
