// Who calls the admin API: the one way to find out, for every handler in front of an operator.

#pragma once

#include <optional>
#include <string_view>

#include "proxy/admin/admin_message.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// What whoever does not come in is answered; and who it is, where that is known (403).
struct Refusal {
  AdminResponse answer;
  std::optional<Operator> who;
};

// Of a 403 `scope`, on the record.
inline constexpr std::string_view kScopeRemark = "scope";

// The operator, by credential or by verified certificate; else `refusal` says why not (401; 403
// where the credential is for other paths, which is to be put on record; 503 when the file of first
// credentials cannot be updated). Needs no key of the vault.
std::optional<Operator> authenticate(const Operators& operators, FirstCredentials& first,
                                     const AdminRequest& request, Refusal& refusal);

}  // namespace paravent::proxy::admin
