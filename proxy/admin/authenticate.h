// Who calls the admin API: the one way to find out, for every handler in front of an operator.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/admin/admin_message.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// What becomes of a credential that cannot be taken out of the file of first credentials: it is
// refused, as it would stay readable; or, for what must not wait for a disk, it counts, and leaves
// the file at a later use.
enum class FirstUse : std::uint8_t { durable, tried };

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
                                     const AdminRequest& request, Refusal& refusal,
                                     FirstUse first_use = FirstUse::durable);

}  // namespace paravent::proxy::admin
