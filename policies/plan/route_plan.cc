#include "policies/plan/route_plan.h"

#include "policies/model/php_name.h"
#include "policies/plan/flat_matcher.h"
#include "policies/plan/json_matcher.h"

namespace paravent::policies {

RoutePlan::RoutePlan() = default;
RoutePlan::~RoutePlan() = default;
RoutePlan::RoutePlan(RoutePlan&&) noexcept = default;
RoutePlan& RoutePlan::operator=(RoutePlan&&) noexcept = default;

const FieldAction* RoutePlan::find(Carrier carrier, std::string_view field) const {
  const auto index = static_cast<std::size_t>(carrier);
  if (index >= flat_.size() || !flat_[index]) return nullptr;
  if (php_names && is_php_carrier(carrier)) return find_php(*flat_[index], field);
  return flat_[index]->find(field);
}

bool RoutePlan::lists(std::string_view field) const {
  const PathStep step{field, 0, false};
  return find(Carrier::query, field) != nullptr || find(Carrier::form, field) != nullptr ||
         find(Carrier::multipart, field) != nullptr || find_json({&step, 1}) != nullptr;
}

bool RoutePlan::json_may_match_below(JsonPath path) const {
  return json_ && json_->may_match_below(path);
}

bool RoutePlan::accepts(Carrier body_carrier) const {
  return (accepted_carriers_ >> static_cast<unsigned>(body_carrier) & 1U) != 0;
}

bool RoutePlan::has_rules(Carrier carrier) const {
  if (carrier == Carrier::json) return json_ != nullptr;
  const auto index = static_cast<std::size_t>(carrier);
  return index < flat_.size() && flat_[index] != nullptr;
}

}  // namespace paravent::policies
