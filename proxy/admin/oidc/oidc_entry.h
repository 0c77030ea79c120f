// How a subject of another issuer becomes the operator of one request: its credential is verified,
// it is not revoked here, and exactly one entry of exactly one tenant's policy is about it.

#pragma once

#include <optional>
#include <string_view>

#include "policies/access/access_rules.h"
#include "proxy/admin/oidc/oidc_desk.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// nullopt for whatever is wrong. Nothing of the credential is kept but its id (credential_id).
std::optional<Operator> enter_by_oidc(OidcDesk& desk, const policies::AccessRules& rules,
                                      const Operators& operators, std::string_view credential);

}  // namespace paravent::proxy::admin
