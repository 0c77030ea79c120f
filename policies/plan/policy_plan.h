// PolicyPlan: all loaded policies, compiled for the data path. Built once by compile(), then
// immutable and shared (shared_ptr<const PolicyPlan>); a reload publishes a new one. Look-ups are
// thread safe and, but for is_listed() and methods_for(), allocate nothing.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/vault/api/messages.h"
#include "policies/model/upstream_address.h"
#include "policies/plan/route_plan.h"

namespace paravent::policies {

using UpstreamTarget = UpstreamAddress;

// Where a route's requests go: any of the targets, 1 to 16, in the policy's order.
struct UpstreamPlan {
  std::vector<UpstreamTarget> targets;
};

struct TenantPlan {
  std::string name;
  std::uint32_t first_slot = 0;  // this tenant's specs are [first_slot, first_slot + slots)
  std::uint32_t slots = 0;
};

// What route_for found. `route` is null when the request must be refused: then `path_is_protected`
// tells 405 (another method, or an elsewhere request that a protected path does not let through)
// from 404 (no route, or another spelling of an earlier route's path on one that is wider).
struct RouteMatch {
  const RoutePlan* route = nullptr;
  // Set when `route` is an elsewhere plan and the path belongs to this protected route (and perhaps
  // to others): only GET and HEAD without a body pass, and only when no query name is_listed() and
  // the path holds_fields() of no route.
  const RoutePlan* protected_route = nullptr;
  bool path_is_protected = false;
};

class PolicyPlan {
 public:
  PolicyPlan();
  ~PolicyPlan();

  // `host` is lower case without port, `path` in normal form (no query). `method` as received.
  RouteMatch route_for(std::string_view method, std::string_view host, std::string_view path) const;

  // The next route behind `route` that takes such a request too, by method, host and path; nullptr:
  // none. Among routes that conditions tell apart, route_for() answers the first one whatever its
  // conditions.
  const RoutePlan* route_after(const RoutePlan& route, std::string_view method,
                               std::string_view host, std::string_view path) const;
  // What route_for() would answer if no route took the request.
  RouteMatch without_route(std::string_view method, std::string_view host,
                           std::string_view path) const;

  // Whether a rule of any route that this path belongs to, whatever its method, names such a field
  // of a query or a body, in this spelling or in one that some readers take for it.
  bool is_listed(std::string_view host, std::string_view path, std::string_view name) const;

  // Whether the path itself is of a route that protects one of its segments (`path.NAME`).
  bool holds_fields(std::string_view host, std::string_view path) const;

  // "GET, HEAD, POST": what the path takes (RFC 9110 10.2.1), for a 405. Allocates; only for
  // refusals.
  std::string methods_for(std::string_view host, std::string_view path) const;

  const std::vector<std::unique_ptr<RoutePlan>>& routes() const { return routes_; }  // by id
  const std::vector<UpstreamPlan>& upstreams() const { return upstreams_; }
  const std::vector<TenantPlan>& tenants() const { return tenants_; }
  // By slot, tenants one after the other.
  const std::vector<crypto::vault::ContextSpec>& context_specs() const { return specs_; }
  std::uint32_t action_count() const { return action_count_; }  // FieldAction::id is below this
  const std::vector<const FieldAction*>& actions() const { return actions_; }  // by id
  const std::vector<std::uint32_t>& action_routes() const {
    return action_routes_;
  }  // route id by action id

 private:
  friend class PlanCompiler;
  class Index;
  std::vector<std::unique_ptr<RoutePlan>> routes_;
  std::vector<UpstreamPlan> upstreams_;
  std::vector<TenantPlan> tenants_;
  std::vector<crypto::vault::ContextSpec> specs_;
  std::vector<const FieldAction*> actions_;
  std::vector<std::uint32_t> action_routes_;
  std::uint32_t action_count_ = 0;
  std::unique_ptr<Index> index_;
};

}  // namespace paravent::policies
