// PlanCompiler: makes one plan, and is thrown away. Internal to compile(), which has seen to it
// that the policies are complete and agree with each other. compiler.cc: policies, routes and what
// they share; route_rules.cc: the rules of a route.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/vault/api/messages.h"
#include "policies/model/policy.h"
#include "policies/plan/file_plan.h"
#include "policies/plan/inside_plan.h"
#include "policies/plan/policy_plan.h"
#include "policies/plan/route_index.h"

namespace paravent::policies {

struct RuleLists;

class PlanCompiler {
 public:
  std::shared_ptr<const PolicyPlan> run(std::span<const Policy> policies);

 private:
  void add_policy(const Policy& policy);
  RoutePlan& new_route(std::string name, const UpstreamAddress& upstream,
                       const std::vector<UpstreamAddress>& alternatives);
  void add_route(const Route& route);
  RoutePlan& compile_route(const Route& route, bool when_sealed);
  void add_elsewhere(const Elsewhere& elsewhere);
  void add_unlisted(const Route& route, RoutePlan& plan, bool when_sealed);
  static void accept_carriers(RoutePlan& plan);
  // Gives the action its place among the counters.
  void enlist(const RoutePlan& route, FieldAction& action);
  // Rules of one tenant with equal specs share a slot.
  std::uint32_t slot_of(crypto::vault::ContextSpec spec);
  std::uint32_t upstream_index(const UpstreamAddress& first,
                               const std::vector<UpstreamAddress>& alternatives);

  void add_rules(const Route& route, RoutePlan& plan);
  static std::shared_ptr<const FilePlan> file_of(const Rule& rule, const RuleLists& lists);
  // What depends on the field and not on what is done with it holds for both.
  static void attach_else(const Rule& rule, FieldAction& action, FieldAction& otherwise,
                          RoutePlan& plan);
  // The bits of these conditions, each of which is numbered when it first comes.
  static std::uint64_t when_of(const std::vector<Condition>& conditions, RoutePlan& plan);
  static std::shared_ptr<const InsidePlan> inside_of(const Rule& rule, RuleLists lists,
                                                     const RoutePlan& plan);
  FieldAction& add_action(const Route& route, const Rule& rule, RoutePlan& plan);
  // `first`: where the actions of the route's own rules begin.
  static void relate(const Route& route, const Rule& rule, std::size_t first, FieldAction& action,
                     RoutePlan& plan);

  std::shared_ptr<PolicyPlan> plan_ = std::make_shared<PolicyPlan>();
  const Policy* policy_ = nullptr;
  std::uint32_t tenant_ = 0;
  std::vector<PolicyPlan::Index::Entry> entries_;
  PolicyPlan::Index::Elsewhere elsewhere_;
};

}  // namespace paravent::policies
