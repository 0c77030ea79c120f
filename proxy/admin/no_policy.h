// What an operator is told whose role may not: that it may not, or that nobody knows what it may,
// because no policy of the tenant is loaded. Pure.

#pragma once

#include <string_view>

#include "proxy/admin/admin_message.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

std::string_view no_policy_sentence(const Operator& who) noexcept;
// 403 `refused`.
AdminResponse no_policy(const Operator& who);
// The same, with `sentence` where the tenant has a policy.
AdminResponse role_may_not(bool has_policy, const Operator& who, std::string_view sentence);

}  // namespace paravent::proxy::admin
