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
    case Carrier::csv:
      return "csv";
    case Carrier::xml:
      return "xml";
    case Carrier::value:
      return "value";
    case Carrier::file_name:
      return "file-name";
    case Carrier::file_content:
      return "content";
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
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
    case ActionKind::tokenise_address_random:
    case ActionKind::tokenise_preserve:
      return "tokenise";
    case ActionKind::encrypt:
    case ActionKind::seal:
    case ActionKind::seal_single:
      return "encrypt";
    case ActionKind::shift_date:
      return "generalise";
    case ActionKind::open:
      return "open";
  }
  std::abort();
}

std::string_view generalisation_name(Generalisation generalisation) noexcept {
  switch (generalisation) {
    case Generalisation::none:
      return {};
    case Generalisation::browser_family:
      return "browser-family";
    case Generalisation::browser_version:
      return "browser-version";
    case Generalisation::language:
      return "language";
    case Generalisation::department:
      return "department";
    case Generalisation::year:
      return "year";
    case Generalisation::month:
      return "month";
    case Generalisation::day:
      return "day";
    case Generalisation::age_band:
      return "age-band";
    case Generalisation::shifted_date:
      return "shifted-date";
    case Generalisation::grid:
      return "grid";
    case Generalisation::bins:
      return "bins";
    case Generalisation::url:
      return "url";
  }
  std::abort();
}

bool is_keyed(ActionKind action) noexcept {
  switch (action) {
    case ActionKind::keep:
    case ActionKind::drop:
    case ActionKind::refuse:
    case ActionKind::replace:
    case ActionKind::mask:
    case ActionKind::truncate:
    case ActionKind::generalise:
    case ActionKind::open:
      return false;
    case ActionKind::pseudonymise:
    case ActionKind::tokenise_vault:
    case ActionKind::tokenise_derived:
    case ActionKind::encrypt:
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
    case ActionKind::tokenise_address_random:
    case ActionKind::tokenise_preserve:
    case ActionKind::seal:
    case ActionKind::seal_single:
    case ActionKind::shift_date:
      return true;
  }
  std::abort();
}

bool makes_surrogate(ActionKind action) noexcept {
  return is_keyed(action) && action != ActionKind::shift_date;
}

bool is_sealed(ActionKind action) noexcept {
  return action == ActionKind::seal || action == ActionKind::seal_single;
}

bool is_deterministic(ActionKind action) noexcept {
  return action == ActionKind::pseudonymise || action == ActionKind::tokenise_derived ||
         action == ActionKind::tokenise_address || action == ActionKind::tokenise_address_prefix ||
         action == ActionKind::tokenise_preserve;
}

bool can_protect_raw(ActionKind action) noexcept {
  return action == ActionKind::pseudonymise || action == ActionKind::tokenise_vault ||
         action == ActionKind::tokenise_derived || action == ActionKind::encrypt ||
         is_sealed(action);
}

crypto::Algorithm algorithm_of(ActionKind action) noexcept {
  using crypto::Algorithm;
  switch (action) {
    case ActionKind::pseudonymise:
    case ActionKind::shift_date:  // a keyed number, in a space of its own
      return Algorithm::pseudonym;
    case ActionKind::tokenise_vault:
      return Algorithm::vault_token;
    case ActionKind::tokenise_derived:
      return Algorithm::derived;
    case ActionKind::encrypt:
      return Algorithm::encrypted;
    case ActionKind::tokenise_address:
      return Algorithm::address;
    case ActionKind::tokenise_address_prefix:
      return Algorithm::address_prefix;
    case ActionKind::tokenise_address_random:
      return Algorithm::address_random;
    case ActionKind::tokenise_preserve:
      return Algorithm::format_preserving;
    case ActionKind::seal:
      return Algorithm::sealed;
    case ActionKind::seal_single:
      return Algorithm::sealed_single;
    default:
      std::abort();
  }
}

}  // namespace paravent::policies
