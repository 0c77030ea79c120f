// Whether two operators are two people, as far as anybody can tell: what four eyes hang on.
//
// Two operators of our own are (one human with two of them is who made them's to prevent). A
// subject of another issuer is the person that its entry in the policy names: an operator of the
// tenant who is not revoked, or somebody who has none, as the entry then says. One of whom the
// policy does not say who it is may be anybody, and so may one whose person is no operator: a name
// that was misspelt would make two people of one. Two subjects of one issuer are never two people:
// whoever runs it can be either.
//
// Asked when a case is approved, and again each time its approval is used. Any thread.

#pragma once

#include <string>
#include <string_view>

#include "policies/access/access_rules.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

enum class TwoPeople : std::uint8_t {
  yes,
  same_issuer,
  same_person,
  unknown,  // of one of them nobody knows who it is
};

// Names as on the record: of our own operators, or "oidc:ISSUER/SUBJECT".
TwoPeople two_people(const policies::AccessRules& rules, const Operators& operators,
                     const crypto::vault::Id& tenant, std::string_view one, std::string_view other);

// Whether the person that an entry names has an operator in the tenant who is not revoked.
bool is_operator_of(const Operators& operators, const crypto::vault::Id& tenant,
                    std::string_view person);

}  // namespace paravent::proxy::admin
