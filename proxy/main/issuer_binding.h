// Which tenants' policies may give roles to which issuer's subjects: an issuer belongs to one
// tenant unless the gateway file shares it by name (operators.oidc[].tenants).
//
// A credential chooses its claims, not its subject: were claims to decide in the policies of two
// tenants, whoever asks for the credential would choose the tenant. So a shared issuer's entries
// name subjects, and no subject is named by two tenants. Pure.

#pragma once

#include <vector>

#include "crypto/base/result.h"
#include "proxy/config/oidc_config.h"
#include "proxy/main/policy_set.h"

namespace paravent::proxy::main {

// ErrorKind::configuration with a sentence that names the issuer and the tenants.
crypto::Status check_issuers(const PolicySet& set,
                             const std::vector<config::OidcIssuerConfig>& issuers);

}  // namespace paravent::proxy::main
