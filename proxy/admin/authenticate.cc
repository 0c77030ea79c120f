#include "proxy/admin/authenticate.h"

#include <utility>

#include "proxy/admin/credential.h"
#include "proxy/admin/operators/scope.h"

namespace paravent::proxy::admin {

std::optional<Operator> authenticate(const Operators& operators, FirstCredentials& first,
                                     const AdminRequest& request, Refusal& refusal,
                                     FirstUse first_use) {
  // A credential that is sent is what counts, right or wrong; else the certificate's name is the
  // operator's.
  const bool over = request.certificate_expires && operators.now() >= *request.certificate_expires;
  if (request.authorization.empty() && !request.certificate_name.empty() && !over) {
    auto named = operators.named(request.certificate_name);
    if (named) return named;
  }
  const auto credential = bearer_credential(request.authorization);
  auto who = credential ? operators.authenticate(*credential) : std::nullopt;
  if (!who) {
    refusal.answer = admin_problem(401, "credential", "A valid credential is needed.");
    return std::nullopt;
  }
  if (auto status = first.used(*credential); !status && first_use == FirstUse::durable) {
    refusal.answer =
        admin_problem(503, "store-unavailable",
                      "The file first-credentials cannot be updated; nothing was done.");
    return std::nullopt;
  }
  if (!allows_path(*who, request.path)) {
    refusal = {admin_problem(403, "scope", "This credential is not for this path."),
               std::move(who)};
    return std::nullopt;
  }
  return who;
}

}  // namespace paravent::proxy::admin
