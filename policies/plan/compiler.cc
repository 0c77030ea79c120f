#include "policies/plan/compiler.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policies/plan/compile_rule.h"
#include "policies/plan/plan_compiler.h"
#include "policies/plan/policy_conflict.h"

namespace paravent::policies {
namespace {

// Those that a route takes without a rule about them, and those that it takes with one.
constexpr Carrier kPlainCarriers[] = {Carrier::form, Carrier::multipart, Carrier::json};
constexpr Carrier kBodyCarriers[] = {Carrier::form, Carrier::multipart, Carrier::json, Carrier::csv,
                                     Carrier::xml};

std::vector<std::string> values_of(const std::vector<Located<std::string>>& texts) {
  std::vector<std::string> values;
  for (const auto& text : texts) values.push_back(text.value);
  return values;
}

}  // namespace

std::shared_ptr<const PolicyPlan> PlanCompiler::run(std::span<const Policy> policies) {
  for (const Policy& policy : policies) add_policy(policy);
  plan_->action_count_ = static_cast<std::uint32_t>(plan_->actions_.size());
  plan_->index_ = std::make_unique<PolicyPlan::Index>(std::move(entries_), std::move(elsewhere_));
  return std::move(plan_);
}

void PlanCompiler::add_policy(const Policy& policy) {
  policy_ = &policy;
  TenantPlan tenant;
  tenant.name = policy.tenant.value;
  tenant.first_slot = static_cast<std::uint32_t>(plan_->specs_.size());
  tenant_ = static_cast<std::uint32_t>(plan_->tenants_.size());
  plan_->tenants_.push_back(tenant);
  for (const Route& route : policy.routes) add_route(route);
  if (policy.elsewhere) add_elsewhere(*policy.elsewhere);
  plan_->tenants_.back().slots =
      static_cast<std::uint32_t>(plan_->specs_.size()) - tenant.first_slot;
}

RoutePlan& PlanCompiler::new_route(std::string name, const UpstreamAddress& upstream,
                                   const std::vector<UpstreamAddress>& alternatives) {
  auto plan = std::make_unique<RoutePlan>();
  plan->name = std::move(name);
  plan->id = static_cast<std::uint32_t>(plan_->routes_.size());
  plan->tenant = tenant_;
  plan->upstream = upstream_index(upstream, alternatives);
  plan->phone_region = policy_->phone_region.value;
  plan->token_mail_domain = policy_->token_mail_domain.value;
  plan->unlisted_action.name = kUnlistedName;
  plan_->routes_.push_back(std::move(plan));
  return *plan_->routes_.back();
}

void PlanCompiler::add_route(const Route& route) {
  RoutePlan& plan = compile_route(route, false);
  RoutePlan* sealed = nullptr;
  if (route.when_sealed) sealed = &compile_route(when_sealed_variant(route), true);
  plan.when_sealed = sealed;
  for (const PathPattern& path : route.match.paths) {
    if (!path.parameters().empty()) {
      plan.templates.push_back(path);
      if (sealed != nullptr) sealed->templates.push_back(path);
    }
    entries_.push_back({&plan, values_of(route.match.methods), values_of(route.match.hosts), path});
  }
}

RoutePlan& PlanCompiler::compile_route(const Route& route, bool when_sealed) {
  RoutePlan& plan = new_route(route.name.value, route.upstream.value, route.alternatives);
  plan.recipient = route.recipient.value;
  plan.purpose = route.purpose.value;
  plan.client_address = route.client_address;
  plan.fixed_address = route.fixed_address;
  if (route.client_address == ClientAddress::pseudonym) {
    plan.address_slot = slot_of(address_context(*policy_, route));
    plan.address_shape = route.address_shape;
  }
  if (!route.subject.value.empty() && !route.purpose.value.empty()) {
    plan.subject_slot = slot_of(subject_context(*policy_, route));
    plan.needs_subject = true;
    plan.stop_objected = heeds_objections(*policy_, route);
    if (route.on_objection) plan.on_objection = route.on_objection->value;
  }
  plan.text_plain = route.text_plain.value;
  if (route.lines) plan.lines = route.lines->value;
  plan.php_names = route.php_names;
  plan.streams_files = streams_files(route);
  plan.any_order = route.stream && route.stream->value == StreamOrder::any;
  plan.constant_size = has_constant_size(route);
  plan.client_certificate = route.client_certificate;
  plan.unlisted = route.unlisted.value;
  plan.unlisted_header = route.unlisted_header;
  plan.unlisted_cookie = route.unlisted_cookie;
  plan.match_when = when_of(route.match.when, plan);
  add_rules(route, plan);
  add_unlisted(route, plan, when_sealed);
  accept_carriers(plan);
  const auto keyed = [](const auto& action) { return action->slot != kNoSlot; };
  plan.needs_keys = plan.address_slot != kNoSlot || plan.subject_slot != kNoSlot ||
                    plan.unlisted_action.slot != kNoSlot ||
                    std::any_of(plan.actions_.begin(), plan.actions_.end(), keyed);
  return plan;
}

void PlanCompiler::add_elsewhere(const Elsewhere& elsewhere) {
  RoutePlan& plan =
      new_route(std::string(kElsewhereName), elsewhere.upstream.value, elsewhere.alternatives);
  plan.mode = RouteMode::pass;
  plan.unlisted = Unlisted::keep;
  plan.client_address = elsewhere.client_address;
  plan.client_certificate = elsewhere.client_certificate;
  plan.fixed_address = elsewhere.fixed_address;
  plan.unlisted_action.action = ActionKind::keep;
  enlist(plan, plan.unlisted_action);
  accept_carriers(plan);
  elsewhere_ = {&plan, values_of(elsewhere.methods)};
}

void PlanCompiler::add_unlisted(const Route& route, RoutePlan& plan, bool when_sealed) {
  FieldAction& action = plan.unlisted_action;
  switch (plan.unlisted) {
    case Unlisted::refuse:
      action.action = ActionKind::refuse;
      break;
    case Unlisted::drop:
      action.action = ActionKind::drop;
      break;
    case Unlisted::keep:
      action.action = ActionKind::keep;
      break;
    case Unlisted::encrypt: {
      action.action = when_sealed ? ActionKind::seal : ActionKind::encrypt;
      if (route.on_error) action.on_error = route.on_error->value;
      if (when_sealed) {
        action.slot = slot_of(unlisted_when_sealed(*policy_, route));
        break;
      }
      action.subject_bound =
          unlisted_is_subject_bound(route, find_purpose(*policy_, route.purpose.value));
      action.slot = slot_of(unlisted_context(*policy_, route));
      break;
    }
  }
  enlist(plan, action);
}

void PlanCompiler::accept_carriers(RoutePlan& plan) {
  for (const Carrier carrier : kBodyCarriers) {
    if (plan.has_rules(carrier)) plan.accepted_carriers_ |= 1U << static_cast<unsigned>(carrier);
  }
  if (plan.accepted_carriers_ != 0 || plan.unlisted == Unlisted::refuse) return;
  for (const Carrier carrier : kPlainCarriers) {
    plan.accepted_carriers_ |= 1U << static_cast<unsigned>(carrier);
  }
}

void PlanCompiler::enlist(const RoutePlan& route, FieldAction& action) {
  action.id = static_cast<std::uint32_t>(plan_->actions_.size());
  plan_->actions_.push_back(&action);
  plan_->action_routes_.push_back(route.id);
}

std::uint32_t PlanCompiler::slot_of(crypto::vault::ContextSpec spec) {
  std::vector<crypto::vault::ContextSpec>& specs = plan_->specs_;
  for (std::size_t i = plan_->tenants_.back().first_slot; i < specs.size(); ++i) {
    if (specs[i] == spec) return static_cast<std::uint32_t>(i);
  }
  specs.push_back(std::move(spec));
  return static_cast<std::uint32_t>(specs.size() - 1);
}

std::uint32_t PlanCompiler::upstream_index(const UpstreamAddress& first,
                                           const std::vector<UpstreamAddress>& alternatives) {
  UpstreamPlan wanted;
  wanted.targets.push_back(first);
  wanted.targets.insert(wanted.targets.end(), alternatives.begin(), alternatives.end());
  std::vector<UpstreamPlan>& upstreams = plan_->upstreams_;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    if (std::equal(wanted.targets.begin(), wanted.targets.end(), upstreams[i].targets.begin(),
                   upstreams[i].targets.end(), same_target)) {
      return static_cast<std::uint32_t>(i);
    }
  }
  upstreams.push_back(std::move(wanted));
  return static_cast<std::uint32_t>(upstreams.size() - 1);
}

crypto::Result<std::shared_ptr<const PolicyPlan>> compile(std::span<const Policy> policies) {
  if (auto fault = find_conflict(policies)) return std::move(*fault);
  return PlanCompiler().run(policies);
}

}  // namespace paravent::policies
