// IssuersTold: which logs were told that an issuer is trusted, and not yet that it is no more; kept
// across restarts, so that an issuer which left the configuration leaves the record too.
//
// DATA/operators/oidc-told (mode 0600). One spelling, in order; any other is refused whole:
//
//   paravent-oidc-told-v1
//   told LOG ISSUER                              the origin of the log; our name of the issuer
//   end
//
// Pure functions; any thread.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace paravent::proxy::main {

inline constexpr std::size_t kMostIssuersTold = 100'000;

using IssuersTold = std::set<std::pair<std::string, std::string>>;  // log and issuer

// REQUIRES: neither holds a space or a control character.
std::string issuers_told_text(const IssuersTold& told);
std::optional<IssuersTold> parse_issuers_told(std::string_view text);

}  // namespace paravent::proxy::main
