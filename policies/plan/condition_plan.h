// ConditionPlan: one condition of a route, compiled: which field is asked, and for which values.
// Immutable, owned by its RoutePlan.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/selector.h"
#include "policies/model/vocabulary.h"
#include "policies/plan/json_path.h"
#include "policies/plan/key_case.h"

namespace paravent::policies {

struct ConditionPlan {
  Carrier carrier = Carrier::form;  // form also stands for multipart
  std::string name;                 // flat carriers; header names in lower case, else as PHP folds
                                    // it where the route has php-names
  std::vector<SelectorStep> steps;  // json: keys and indexes only
  std::vector<std::string> values;  // sorted, not empty
  std::string text;                 // as the policy wrote the field: for refusals

  bool accepts(std::string_view value) const noexcept {
    return std::binary_search(values.begin(), values.end(), value);
  }
  // `any_case`: as some readers find it (JsonMatcher).
  bool is_at(JsonPath path, bool any_case = false) const noexcept {
    const auto same_key = [any_case](std::string_view a, std::string_view b) {
      return a == b || (any_case && same_in_any_case(a, b));
    };
    if (path.size() != steps.size()) return false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool same = steps[i].type == SelectorStep::Type::element
                            ? path[i].is_index && path[i].index == steps[i].index
                            : !path[i].is_index && same_key(path[i].key, steps[i].key);
      if (!same) return false;
    }
    return true;
  }
};

}  // namespace paravent::policies
