// InsidePlan: how one opened field is read, and the rules about what is inside, compiled for
// look-up as a route's own are.
//
// Immutable, owned by the FieldAction that opens; no allocation and no lock in any look-up.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "policies/model/inside.h"
#include "policies/plan/field_action.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/json_path.h"
#include "policies/plan/name_rules.h"

namespace paravent::policies {

struct InsidePlan {
  InsideForm form;
  std::unique_ptr<const JsonMatcher> json;
  std::unique_ptr<const NameRules> query;
  const FieldAction* value = nullptr;  // of the rule `OUTER > value`
  bool any_case = false;               // see JsonMatcher

  const FieldAction* find(std::string_view name) const noexcept {
    return query ? query->find(name) : nullptr;
  }
  const FieldAction* find_json(JsonPath path, JsonWalk& walk) const {
    return json ? json->find(path, any_case, walk) : nullptr;
  }
};

}  // namespace paravent::policies
