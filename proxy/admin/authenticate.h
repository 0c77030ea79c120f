// Who calls the admin API: the one way to find out, for every handler in front of an operator.

#pragma once

#include <optional>

#include "proxy/admin/admin_message.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// The operator, by credential or by verified certificate; else `refusal` is the answer (401; 403
// where the credential is for other paths; 503 when the file of first credentials cannot be
// updated). Needs no key of the vault.
std::optional<Operator> authenticate(const Operators& operators, FirstCredentials& first,
                                     const AdminRequest& request, AdminResponse& refusal);

}  // namespace paravent::proxy::admin
