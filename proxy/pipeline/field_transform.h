// The transformations that need no key: mask, truncate, generalise, replace.
//
// Pure functions on decoded values; the result is appended. `malformed` when the value is outside
// what the action is defined for (on-error decides then).

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policies/plan/field_action.h"

namespace paravent::proxy {

// Of fixed width whatever the value, so that its length is not told either.
inline constexpr std::string_view kMask = "********";

crypto::Status transform_field(const policies::FieldAction& action, std::string_view value,
                               std::string& out);

}  // namespace paravent::proxy
