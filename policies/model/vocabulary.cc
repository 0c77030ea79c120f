#include "policies/model/vocabulary.h"

#include <cstdlib>

namespace paravent::policies {

std::string_view carrier_name(Carrier carrier) noexcept {
  switch (carrier) {
    case Carrier::form:
      return "form";
    case Carrier::json:
      return "json";
    case Carrier::multipart:
      return "multipart";
    case Carrier::query:
      return "query";
    case Carrier::header:
      return "header";
    case Carrier::cookie:
      return "cookie";
    case Carrier::path:
      return "path";
  }
  std::abort();
}

std::string_view action_name(ActionKind action) noexcept {
  switch (action) {
    case ActionKind::keep:
      return "keep";
    case ActionKind::drop:
      return "drop";
    case ActionKind::refuse:
      return "refuse";
    case ActionKind::replace:
      return "replace";
    case ActionKind::mask:
      return "mask";
    case ActionKind::truncate:
      return "truncate";
    case ActionKind::generalise:
      return "generalise";
    case ActionKind::pseudonymise:
      return "pseudonymise";
    case ActionKind::tokenise_vault:
    case ActionKind::tokenise_derived:
      return "tokenise";
    case ActionKind::encrypt:
      return "encrypt";
  }
  std::abort();
}

bool is_keyed(ActionKind action) noexcept {
  return action == ActionKind::pseudonymise || action == ActionKind::tokenise_vault ||
         action == ActionKind::tokenise_derived || action == ActionKind::encrypt;
}

crypto::Algorithm algorithm_of(ActionKind action) noexcept {
  switch (action) {
    case ActionKind::pseudonymise:
      return crypto::Algorithm::pseudonym;
    case ActionKind::tokenise_vault:
      return crypto::Algorithm::vault_token;
    case ActionKind::tokenise_derived:
      return crypto::Algorithm::derived;
    case ActionKind::encrypt:
      return crypto::Algorithm::encrypted;
    default:
      std::abort();
  }
}

}  // namespace paravent::policies
