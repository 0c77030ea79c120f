// Whether two operators are two people, as far as anybody can tell: what four eyes hang on.
//
// Two operators of our own are (one human with two of them is who made them's to prevent). A
// subject of another issuer is the person that its entry in the policy names, and one of whom the
// policy does not say who it is may be anybody. Two subjects of one issuer are never two people:
// whoever runs it can be either. Pure.

#pragma once

#include <string>
#include <string_view>

#include "policies/access/access_rules.h"

namespace paravent::proxy::admin {

enum class TwoPeople : std::uint8_t {
  yes,
  same_issuer,
  same_person,
  unknown,  // of one of them nobody knows who it is
};

// Names as on the record: of our own operators, or "oidc:ISSUER/SUBJECT".
TwoPeople two_people(const policies::AccessRules& rules, const crypto::vault::Id& tenant,
                     std::string_view one, std::string_view other);

}  // namespace paravent::proxy::admin
