#include "policies/plan/route_plan.h"

#include <algorithm>
#include <array>

#include "policies/model/php_name.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/key_case.h"
#include "policies/plan/name_rules.h"

namespace paravent::policies {
namespace {

constexpr std::array kNamed = {Carrier::query, Carrier::form, Carrier::multipart};

}  // namespace

std::string loose_name(std::string_view name) {
  std::string folded = php_name(name);
  folded.resize(fold_text(std::string(folded), folded.data()));
  return folded;
}

RoutePlan::RoutePlan() = default;
RoutePlan::~RoutePlan() = default;
RoutePlan::RoutePlan(RoutePlan&&) noexcept = default;
RoutePlan& RoutePlan::operator=(RoutePlan&&) noexcept = default;

const FieldAction* RoutePlan::find(Carrier carrier, std::string_view field) const {
  const auto index = static_cast<std::size_t>(carrier);
  return index < flat_.size() && flat_[index] ? flat_[index]->find(field) : nullptr;
}

bool RoutePlan::lists(std::string_view field) const {
  const auto found = [this](std::string_view text) {
    const PathStep step{text, 0, false};
    return std::any_of(kNamed.begin(), kNamed.end(),
                       [&](Carrier carrier) { return find(carrier, text) != nullptr; }) ||
           find_json({&step, 1}) != nullptr;
  };
  if (found(field)) return true;
  const std::string loose = loose_name(field);
  const std::string array = loose_name(field.substr(0, field.find('[')));
  const auto known = [this](std::string_view text) {
    return std::binary_search(loose_names_.begin(), loose_names_.end(), text);
  };
  return known(loose) || known(array) || found(loose);
}

bool RoutePlan::may_match_below(Carrier carrier, std::string_view path) const {
  const auto index = static_cast<std::size_t>(carrier);
  return index < flat_.size() && flat_[index] && flat_[index]->may_match_below(path);
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
