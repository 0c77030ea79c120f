// The compiler on the rules of one route: each becomes an action, and each action an entry of the
// matcher that will find it.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "policies/model/php_name.h"
#include "policies/plan/compile_rule.h"
#include "policies/plan/condition_plan.h"
#include "policies/plan/file_plan.h"
#include "policies/plan/inside_plan.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/name_rules.h"
#include "policies/plan/plan_compiler.h"

namespace paravent::policies {

// The rules of one place, sorted by the matcher that will find them.
struct RuleLists {
  std::array<std::vector<FlatMatcher::Entry>, kCarrierCount> flat;
  std::vector<JsonMatcher::Entry> json;
};

namespace {

NameRules::Reading reading_of(const RoutePlan& plan, Carrier carrier) {
  if (carrier == Carrier::header) return NameRules::Reading::header;
  if (carrier == Carrier::path) return NameRules::Reading::exact;
  // PHP folds no names there; but many who read a table match its columns without case.
  if (!is_php_carrier(carrier)) return NameRules::Reading::any_case;
  return plan.php_names ? NameRules::Reading::php : NameRules::Reading::any_case;
}

std::unique_ptr<NameRules> name_rules(const RoutePlan& plan, Carrier carrier,
                                      std::vector<FlatMatcher::Entry> entries) {
  const Unlisted unlisted = carrier == Carrier::cookie ? plan.unlisted_cookie : plan.unlisted;
  return std::make_unique<NameRules>(std::move(entries), reading_of(plan, carrier),
                                     unlisted == Unlisted::keep);
}

// What RoutePlan::lists() knows by its whole name.
std::vector<std::string> loose_names(const RuleLists& lists) {
  std::vector<std::string> names;
  for (const Carrier carrier : {Carrier::query, Carrier::form, Carrier::multipart}) {
    for (const auto& entry : lists.flat[static_cast<std::size_t>(carrier)]) {
      if (!entry.is_pattern) names.push_back(loose_name(entry.name));
    }
  }
  for (const auto& entry : lists.json) {
    const bool is_name =
        entry.steps.size() == 1 && (entry.steps.front().type == SelectorStep::Type::key ||
                                    entry.steps.front().type == SelectorStep::Type::descendant);
    if (is_name) names.push_back(loose_name(entry.steps.front().key));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void PlanCompiler::add_rules(const Route& route, RoutePlan& plan) {
  std::map<std::string, RuleLists> lists;  // by what they are inside of
  const auto list = [&](const Rule& rule, const FieldAction& action) {
    const FieldSelector& selector = rule.selector;
    RuleLists& into = lists[selector.outer];
    if (selector.carrier == Carrier::json) {
      into.json.push_back({selector.steps, &action});
    } else {
      into.flat[static_cast<std::size_t>(selector.carrier)].push_back(
          {selector.name, selector.is_pattern, &action});
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
    attach_else(route.rules[i - 1], *plan.actions_[first + i - 1], *plan.actions_[first + i], plan);
  }
  RuleLists& own = lists[std::string()];
  plan.loose_names_ = loose_names(own);
  plan.flat_.resize(kCarrierCount);
  for (std::size_t i = 0; i < kCarrierCount; ++i) {
    if (own.flat[i].empty()) continue;
    plan.flat_[i] = name_rules(plan, static_cast<Carrier>(i), std::move(own.flat[i]));
  }
  if (!own.json.empty()) plan.json_ = std::make_unique<JsonMatcher>(std::move(own.json));
}

std::shared_ptr<const FilePlan> PlanCompiler::file_of(const Rule& rule, const RuleLists& lists) {
  auto file = std::make_shared<FilePlan>();
  file->rule = *rule.file;
  const auto& names = lists.flat[static_cast<std::size_t>(Carrier::file_name)];
  if (!names.empty()) file->name = names.front().action;
  const auto& contents = lists.flat[static_cast<std::size_t>(Carrier::file_content)];
  if (!contents.empty()) file->content = contents.front().action;
  return file;
}

void PlanCompiler::attach_else(const Rule& rule, FieldAction& action, FieldAction& otherwise,
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

std::uint64_t PlanCompiler::when_of(const std::vector<Condition>& conditions, RoutePlan& plan) {
  std::uint64_t bits = 0;
  for (const Condition& condition : conditions) {
    ConditionPlan wanted;
    wanted.carrier =
        condition.field.carrier == Carrier::multipart ? Carrier::form : condition.field.carrier;
    wanted.name = condition.field.name;
    if (plan.php_names && is_php_carrier(wanted.carrier)) {
      wanted.name = php_name(condition.field.name);
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

std::shared_ptr<const InsidePlan> PlanCompiler::inside_of(const Rule& rule, RuleLists lists,
                                                          const RoutePlan& plan) {
  auto inside = std::make_shared<InsidePlan>();
  inside->form = rule.inside.value;
  inside->any_case = plan.unlisted == Unlisted::keep;
  auto& query = lists.flat[static_cast<std::size_t>(Carrier::query)];
  const auto& value = lists.flat[static_cast<std::size_t>(Carrier::value)];
  if (!lists.json.empty()) inside->json = std::make_unique<JsonMatcher>(std::move(lists.json));
  if (!query.empty()) inside->query = name_rules(plan, Carrier::query, std::move(query));
  if (!value.empty()) inside->value = value.front().action;
  return inside;
}

FieldAction& PlanCompiler::add_action(const Route& route, const Rule& rule, RoutePlan& plan) {
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

void PlanCompiler::relate(const Route& route, const Rule& rule, std::size_t first,
                          FieldAction& action, RoutePlan& plan) {
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

}  // namespace paravent::policies
