#include "proxy/admin/oidc/jwt.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/encoding.h"
#include "proxy/admin/oidc/jwks.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

// What would change how the rest is read, or says which key to believe.
constexpr std::array<std::string_view, 9> kRefusedHeaders{"crit", "b64", "cty", "enc", "zip",
                                                          "jwk",  "jku", "x5c", "x5u"};
constexpr std::uint64_t kMostSeconds = 253'402'300'799;  // the end of the year 9999

Error malformed() { return ErrorKind::malformed; }

std::string type_of(std::string_view text) {
  std::string type(text);
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view kApplication = "application/";  // RFC 7515 4.1.9: may be left out
  if (type.starts_with(kApplication)) type.erase(0, kApplication.size());
  return type;
}

// A whole number of seconds; fractions, which RFC 7519 2 allows, nobody needs here.
std::optional<std::uint64_t> time_of(const JsonMembers& members, std::string_view name) {
  const auto seconds = members.number(name);
  return seconds && *seconds <= kMostSeconds ? seconds : std::nullopt;
}

crypto::WallTime at(std::uint64_t seconds) {
  return crypto::WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace

Result<Jws> parse_jws(std::string_view text) {
  if (text.size() > kMostJwtBytes) return malformed();
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return malformed();
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return malformed();
  const auto header = crypto::from_base64url(text.substr(0, first));
  auto payload = crypto::from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = crypto::from_base64url(text.substr(second + 1));  // no further '.' in it
  if (!header || !payload || !signature || signature->empty()) return malformed();
  const auto members = read_json_members(crypto::as_text(*header));
  if (!members) return malformed();
  for (const std::string_view name : kRefusedHeaders) {
    if (members->has(name)) return malformed();
  }
  const auto algorithm = jws_algorithm(members->text("alg"));
  if (!algorithm) return malformed();
  Jws jws;
  jws.algorithm = *algorithm;
  for (const std::string_view name : {"kid", "typ"}) {
    if (members->has(name) && members->text(name).empty()) return malformed();
  }
  jws.kid = members->text("kid");
  if (jws.kid.size() > kMostKidBytes) return malformed();
  jws.type = type_of(members->text("typ"));
  jws.signed_text = text.substr(0, second);
  jws.payload = std::move(*payload);
  jws.signature = std::move(*signature);
  return jws;
}

bool is_oidc_subject(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMostSubjectBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

Result<JwtClaims> read_claims(crypto::ByteView payload) {
  auto members = read_json_members(crypto::as_text(payload));
  if (!members) return malformed();
  JwtClaims claims;
  claims.issuer = members->text("iss");
  claims.subject = members->text("sub");
  if (claims.issuer.empty() || !is_oidc_subject(claims.subject)) return malformed();
  if (const auto one = members->texts.find("aud"); one != members->texts.end()) {
    claims.audience.push_back(one->second);
  } else if (const auto list = members->lists.find("aud"); list != members->lists.end()) {
    claims.audience = list->second;
  }
  if (claims.audience.empty() || claims.audience.size() > kMostAudiences) return malformed();
  const auto issued = time_of(*members, "iat");
  const auto expires = time_of(*members, "exp");
  claims.not_before = time_of(*members, "nbf");
  if (!issued || !expires || (members->has("nbf") && !claims.not_before)) return malformed();
  claims.issued = *issued;
  claims.expires = *expires;
  claims.all = std::move(*members);
  return claims;
}

bool header_holds(const Jws& jws, const JwtTerms& terms) {
  if (std::find(terms.algorithms.begin(), terms.algorithms.end(), jws.algorithm) ==
      terms.algorithms.end()) {
    return false;
  }
  if (!terms.type.empty()) return jws.type == type_of(terms.type);
  return jws.type.empty() || jws.type == "jwt" || jws.type == "at+jwt";
}

bool claims_hold(const JwtClaims& claims, const JwtTerms& terms, crypto::WallTime now) {
  if (claims.issuer != terms.issuer) return false;
  if (std::find(claims.audience.begin(), claims.audience.end(), terms.audience) ==
      claims.audience.end()) {
    return false;
  }
  const crypto::WallTime issued = at(claims.issued);
  const crypto::WallTime expires = at(claims.expires);
  if (expires <= issued || expires - issued > terms.lifetime) return false;
  if (now >= expires + terms.leeway || issued > now + terms.leeway) return false;
  return !claims.not_before || at(*claims.not_before) <= now + terms.leeway;
}

}  // namespace paravent::proxy::admin
