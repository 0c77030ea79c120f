#include "policies/plan/compiler.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policies/plan/compile_rule.h"
#include "policies/plan/condition_plan.h"
#include "policies/plan/file_plan.h"
#include "policies/plan/flat_matcher.h"
#include "policies/plan/inside_plan.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/php_name.h"
#include "policies/plan/route_index.h"

namespace paravent::policies {
namespace {

using crypto::Error;
using crypto::ErrorKind;

// Those that a route takes without a rule about them, and those that it takes with one.
constexpr Carrier kPlainCarriers[] = {Carrier::form, Carrier::multipart, Carrier::json};
constexpr Carrier kBodyCarriers[] = {Carrier::form, Carrier::multipart, Carrier::json, Carrier::csv,
                                     Carrier::xml};

std::vector<std::string> values_of(const std::vector<Located<std::string>>& texts) {
  std::vector<std::string> values;
  for (const auto& text : texts) values.push_back(text.value);
  return values;
}

Error wrong(std::string sentence) { return Error(ErrorKind::configuration, std::move(sentence)); }

bool is_complete(const Route& route) {
  const bool rules_complete =
      std::all_of(route.rules.begin(), route.rules.end(),
                  [](const Rule& rule) { return rule.has_selector && rule.action.has_value(); });
  return rules_complete && !route.name.value.empty() && !route.match.paths.empty() &&
         !route.upstream.value.text.empty();
}

bool is_complete(const Policy& policy) {
  return !policy.tenant.value.empty() && !policy.routes.empty() &&
         std::all_of(policy.routes.begin(), policy.routes.end(),
                     [](const Route& route) { return is_complete(route); }) &&
         (!policy.elsewhere || !policy.elsewhere->upstream.value.text.empty());
}

// What only several policies together can get wrong.
std::optional<Error> conflict(std::span<const Policy> policies) {
  if (policies.empty()) return wrong("No policy is loaded; name one under policies.");
  const Policy* elsewhere = nullptr;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const Policy& policy = policies[i];
    if (!is_complete(policy)) return wrong("A policy with errors cannot be used; run check on it.");
    if (policy.elsewhere) {
      if (elsewhere != nullptr) {
        return wrong("The policies of " + elsewhere->tenant.value + " and " + policy.tenant.value +
                     " both have elsewhere; keep one.");
      }
      elsewhere = &policy;
    }
    for (const Policy& earlier : policies.first(i)) {
      if (earlier.tenant.value == policy.tenant.value) {
        return wrong("Two policies are of the tenant " + policy.tenant.value +
                     "; one tenant has one file.");
      }
      for (const Route& mine : policy.routes) {
        for (const Route& theirs : earlier.routes) {
          if (!covers(theirs.match, mine.match)) continue;
          return wrong("The route " + theirs.name.value + " of " + earlier.tenant.value +
                       " takes everything that " + mine.name.value + " of " + policy.tenant.value +
                       " matches; tell them apart by host or path.");
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace

// The rules of one place, sorted by the matcher that will find them.
struct RuleLists {
  std::array<std::vector<FlatMatcher::Entry>, kCarrierCount> flat;
  std::vector<JsonMatcher::Entry> json;
};

class PlanCompiler {
 public:
  std::shared_ptr<const PolicyPlan> run(std::span<const Policy> policies) {
    for (const Policy& policy : policies) add_policy(policy);
    plan_->action_count_ = static_cast<std::uint32_t>(plan_->actions_.size());
    auto index = std::make_unique<PolicyPlan::Index>(std::move(entries_));
    index->elsewhere = elsewhere_;
    index->elsewhere_methods = std::move(elsewhere_methods_);
    plan_->index_ = std::move(index);
    return std::move(plan_);
  }

 private:
  void add_policy(const Policy& policy) {
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

  RoutePlan& new_route(std::string name, const UpstreamAddress& upstream,
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

  void add_route(const Route& route) {
    RoutePlan& plan = compile_route(route, false);
    RoutePlan* sealed = nullptr;
    if (route.when_sealed) sealed = &compile_route(when_sealed_variant(route), true);
    plan.when_sealed = sealed;
    for (const PathPattern& path : route.match.paths) {
      if (!path.parameters().empty()) {
        plan.templates.push_back(path);
        if (sealed != nullptr) sealed->templates.push_back(path);
      }
      entries_.push_back(
          {&plan, values_of(route.match.methods), values_of(route.match.hosts), path});
    }
  }

  RoutePlan& compile_route(const Route& route, bool when_sealed) {
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

  void add_elsewhere(const Elsewhere& elsewhere) {
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
    elsewhere_ = &plan;
    elsewhere_methods_ = values_of(elsewhere.methods);
  }

  void add_rules(const Route& route, RoutePlan& plan) {
    std::map<std::string, RuleLists> lists;  // by what they are inside of
    const auto list = [&](const Rule& rule, const FieldAction& action) {
      const FieldSelector& selector = rule.selector;
      RuleLists& into = lists[selector.outer];
      if (selector.carrier == Carrier::json) {
        into.json.push_back({selector.steps, &action});
      } else {
        std::string name = selector.name;
        if (plan.php_names && is_php_carrier(selector.carrier)) {
          std::string buffer(name.size(), '\0');
          name = std::string(php_name(name, buffer.data()));
        }
        into.flat[static_cast<std::size_t>(selector.carrier)].push_back(
            {std::move(name), selector.is_pattern, &action});
      }
    };
    // First, because among selectors with wildcards the first one wins: no rule of the policy may
    // take what only the gateway writes.
    std::vector<Rule> drops;
    for (const Rule& rule : route.rules) {
      if (auto drop = drop_of_previous(route, rule)) drops.push_back(std::move(*drop));
    }
    for (const Rule& drop : drops) list(drop, add_action(route, drop, plan));
    for (const Rule& rule : route.rules) {
      if (const auto name = default_name_rule(route, rule))
        list(*name, add_action(route, *name, plan));
    }
    const std::size_t first = plan.actions_.size();
    for (const Rule& rule : route.rules) {
      const FieldAction& action = add_action(route, rule, plan);
      if (!rule.is_else) list(rule, action);
    }
    for (std::size_t i = 0; i < route.rules.size(); ++i) {
      const Rule& rule = route.rules[i];
      FieldAction& action = *plan.actions_[first + i];
      relate(route, rule, first, action, plan);
      if (rule.action == ActionKind::open) {
        action.inside = inside_of(rule, std::move(lists[rule.selector.text]), plan);
      }
      if (rule.file) action.file = file_of(rule, lists[rule.selector.text]);
    }
    for (std::size_t i = 1; i < route.rules.size(); ++i) {
      if (!route.rules[i].is_else) continue;
      attach_else(route.rules[i - 1], *plan.actions_[first + i - 1], *plan.actions_[first + i],
                  plan);
    }
    RuleLists& own = lists[std::string()];
    plan.flat_.resize(kCarrierCount);
    for (std::size_t i = 0; i < kCarrierCount; ++i) {
      if (own.flat[i].empty()) continue;
      plan.flat_[i] = std::make_unique<FlatMatcher>(std::move(own.flat[i]),
                                                    static_cast<Carrier>(i) == Carrier::header);
    }
    if (!own.json.empty()) plan.json_ = std::make_unique<JsonMatcher>(std::move(own.json));
  }

  static std::shared_ptr<const FilePlan> file_of(const Rule& rule, const RuleLists& lists) {
    auto file = std::make_shared<FilePlan>();
    file->rule = *rule.file;
    const auto& names = lists.flat[static_cast<std::size_t>(Carrier::file_name)];
    if (!names.empty()) file->name = names.front().action;
    const auto& contents = lists.flat[static_cast<std::size_t>(Carrier::file_content)];
    if (!contents.empty()) file->content = contents.front().action;
    return file;
  }

  // What depends on the field and not on what is done with it holds for both.
  static void attach_else(const Rule& rule, FieldAction& action, FieldAction& otherwise,
                          RoutePlan& plan) {
    otherwise.required_index = action.required_index;
    otherwise.delimits = action.delimits;
    otherwise.delimiter_index = action.delimiter_index;
    action.when = when_of(rule.when, plan);
    action.otherwise = &otherwise;
    if (std::find(plan.questions.begin(), plan.questions.end(), action.when) ==
        plan.questions.end()) {
      plan.questions.push_back(action.when);
    }
  }

  // The bits of these conditions, each of which is numbered when it first comes.
  static std::uint64_t when_of(const std::vector<Condition>& conditions, RoutePlan& plan) {
    std::uint64_t bits = 0;
    for (const Condition& condition : conditions) {
      ConditionPlan wanted;
      wanted.carrier =
          condition.field.carrier == Carrier::multipart ? Carrier::form : condition.field.carrier;
      wanted.name = condition.field.name;
      if (plan.php_names && is_php_carrier(wanted.carrier)) {
        std::string buffer(wanted.name.size(), '\0');
        wanted.name = std::string(php_name(condition.field.name, buffer.data()));
      }
      wanted.steps = condition.field.steps;
      wanted.values = condition.values;
      wanted.text = condition.field.text;
      std::vector<ConditionPlan>& known = plan.conditions;
      auto found = std::find_if(known.begin(), known.end(), [&](const ConditionPlan& other) {
        return other.carrier == wanted.carrier && other.name == wanted.name &&
               other.steps == wanted.steps && other.values == wanted.values;
      });
      if (found == known.end()) found = known.insert(known.end(), std::move(wanted));
      bits |= std::uint64_t{1} << static_cast<unsigned>(found - known.begin());
    }
    return bits;
  }

  static std::shared_ptr<const InsidePlan> inside_of(const Rule& rule, RuleLists lists,
                                                     const RoutePlan& plan) {
    auto inside = std::make_shared<InsidePlan>();
    inside->form = rule.inside.value;
    inside->php_names = plan.php_names;
    inside->any_case = plan.unlisted == Unlisted::keep;
    auto& query = lists.flat[static_cast<std::size_t>(Carrier::query)];
    const auto& value = lists.flat[static_cast<std::size_t>(Carrier::value)];
    if (!lists.json.empty()) inside->json = std::make_unique<JsonMatcher>(std::move(lists.json));
    if (!query.empty()) inside->query = std::make_unique<FlatMatcher>(std::move(query), false);
    if (!value.empty()) inside->value = value.front().action;
    return inside;
  }

  FieldAction& add_action(const Route& route, const Rule& rule, RoutePlan& plan) {
    plan.needs_subject = plan.needs_subject || rule.action == ActionKind::shift_date;
    plan.actions_.push_back(std::make_unique<FieldAction>(compile_rule(*policy_, route, rule)));
    FieldAction& action = *plan.actions_.back();
    enlist(plan, action);
    if (action.required && !rule.is_else) {
      action.required_index = static_cast<std::uint32_t>(plan.required.size());
      plan.required.push_back(&action);
    }
    if (is_keyed(action.action)) action.slot = slot_of(context_of(*policy_, route, rule));
    return action;
  }

  // `first`: where the actions of the route's own rules begin.
  static void relate(const Route& route, const Rule& rule, std::size_t first, FieldAction& action,
                     RoutePlan& plan) {
    if (rule.scope.value != Scope::relationship) return;
    const Rule* other = find_rule(route, rule.relationship.value);
    if (other == nullptr) return;
    const auto index = static_cast<std::size_t>(other - route.rules.data());
    FieldAction& delimiter = *plan.actions_[first + index];
    if (!delimiter.delimits) {
      delimiter.delimits = true;
      delimiter.delimiter_index = static_cast<std::uint32_t>(plan.delimiters.size());
      plan.delimiters.push_back(&delimiter);
    }
    action.relationship = &delimiter;
  }

  void add_unlisted(const Route& route, RoutePlan& plan, bool when_sealed) {
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

  static void accept_carriers(RoutePlan& plan) {
    for (const Carrier carrier : kBodyCarriers) {
      if (plan.has_rules(carrier)) plan.accepted_carriers_ |= 1U << static_cast<unsigned>(carrier);
    }
    if (plan.accepted_carriers_ != 0 || plan.unlisted == Unlisted::refuse) return;
    for (const Carrier carrier : kPlainCarriers) {
      plan.accepted_carriers_ |= 1U << static_cast<unsigned>(carrier);
    }
  }

  // Gives the action its place among the counters.
  void enlist(const RoutePlan& route, FieldAction& action) {
    action.id = static_cast<std::uint32_t>(plan_->actions_.size());
    plan_->actions_.push_back(&action);
    plan_->action_routes_.push_back(route.id);
  }

  // Rules of one tenant with equal specs share a slot.
  std::uint32_t slot_of(crypto::vault::ContextSpec spec) {
    std::vector<crypto::vault::ContextSpec>& specs = plan_->specs_;
    for (std::size_t i = plan_->tenants_.back().first_slot; i < specs.size(); ++i) {
      if (specs[i] == spec) return static_cast<std::uint32_t>(i);
    }
    specs.push_back(std::move(spec));
    return static_cast<std::uint32_t>(specs.size() - 1);
  }

  std::uint32_t upstream_index(const UpstreamAddress& first,
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

  std::shared_ptr<PolicyPlan> plan_ = std::make_shared<PolicyPlan>();
  const Policy* policy_ = nullptr;
  std::uint32_t tenant_ = 0;
  std::vector<PolicyPlan::Index::Entry> entries_;
  const RoutePlan* elsewhere_ = nullptr;
  std::vector<std::string> elsewhere_methods_;
};

crypto::Result<std::shared_ptr<const PolicyPlan>> compile(std::span<const Policy> policies) {
  if (auto fault = conflict(policies)) return std::move(*fault);
  return PlanCompiler().run(policies);
}

}  // namespace paravent::policies
