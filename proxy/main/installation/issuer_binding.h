// Which tenants' policies may give roles to which issuer's subjects: an issuer belongs to one
// tenant unless the gateway file shares it by name (operators.oidc[].tenants).
//
// A credential chooses its claims, not its subject: were claims to decide in the policies of two
// tenants, whoever asks for the credential would choose the tenant. So a shared issuer's entries
// name subjects, and no subject is named by two tenants. Pure.

#pragma once

#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/operators.h"
#include "proxy/config/oidc_config.h"
#include "proxy/main/installation/policy_set.h"

namespace paravent::proxy::main {

// ErrorKind::configuration with a sentence that names the issuer and the tenants.
crypto::Status check_issuers(const PolicySet& set,
                             const std::vector<config::OidcIssuerConfig>& issuers);

// A diagnostic a line for each entry whose `person` is no operator of the policy's tenant, or none
// any more: under four eyes it takes no part. Operators come and go after a policy is made, so it
// is a warning. REQUIRES: the tenants' names were admitted.
std::string warnings_of_unknown_people(const PolicySet& set, const admin::Operators& operators,
                                       const crypto::vault::Vault& vault);

}  // namespace paravent::proxy::main
