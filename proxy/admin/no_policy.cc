#include "proxy/admin/no_policy.h"

namespace paravent::proxy::admin {

std::string_view no_policy_sentence(const Operator& who) noexcept {
  return who.tenant == crypto::vault::kNoId
             ? "This operator belongs to no tenant."
             : "No policy of your tenant is loaded, so its roles may do nothing; load one.";
}

AdminResponse no_policy(const Operator& who) {
  return admin_problem(403, "refused", no_policy_sentence(who));
}

AdminResponse role_may_not(bool has_policy, const Operator& who, std::string_view sentence) {
  return has_policy ? admin_problem(403, "refused", sentence) : no_policy(who);
}

}  // namespace paravent::proxy::admin
