// What whoever asks outside of their role's hours is told, and what the record says of it. Pure.

#pragma once

#include <string_view>

#include "proxy/admin/admin_message.h"

namespace paravent::proxy::admin {

inline constexpr std::string_view kHoursRemark = "hours";

inline AdminResponse hours_problem() {
  return admin_problem(403, "hours", "This role may not ask at this time of day.");
}

}  // namespace paravent::proxy::admin
