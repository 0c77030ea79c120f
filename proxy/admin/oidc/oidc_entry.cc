#include "proxy/admin/oidc/oidc_entry.h"

#include "crypto/primitives/sha256.h"
#include "proxy/admin/oidc/revocations.h"

namespace paravent::proxy::admin {

std::optional<Operator> enter_by_oidc(OidcDesk& desk, const policies::AccessRules& rules,
                                      const Operators& operators, std::string_view credential) {
  const auto identity = desk.verify(credential, operators.now());
  if (!identity) return std::nullopt;
  if (operators.oidc_revocations().holds(identity->issuer + "/" + identity->subject)) {
    return std::nullopt;
  }
  const auto matched = rules.oidc_role(identity->issuer, identity->subject,
                                       [&](std::string_view claim, std::string_view value) {
                                         return identity->claims.holds(claim, value);
                                       });
  if (!matched) return std::nullopt;
  Operator who{oidc_operator_name(identity->issuer, identity->subject),
               matched->tenant,
               matched->role,
               {},
               {}};
  who.credential = credential_id(crypto::sha256(crypto::as_bytes(credential)));
  return who;
}

}  // namespace paravent::proxy::admin
