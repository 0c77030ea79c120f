// Any bytes as a JWT, whole and as each of its two JSON parts: never a crash, nothing accepted that
// breaks the promises of jwt.h, and no credential without a key's signature gets in.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/base/encoding.h"
#include "proxy/admin/oidc/oidc_desk.h"

namespace {

namespace admin = paravent::proxy::admin;
namespace crypto = paravent::crypto;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string encoded(std::string_view text) {
  std::string out;
  crypto::append_base64url(out, crypto::as_bytes(text));
  return out;
}

void try_claims(crypto::ByteView bytes) {
  const auto claims = admin::read_claims(bytes);
  if (!claims) return;
  check(!claims->issuer.empty() && admin::is_oidc_subject(claims->subject));
  check(!claims->audience.empty() && claims->audience.size() <= admin::kMostAudiences);
  admin::JwtTerms terms;
  terms.issuer = claims->issuer;
  terms.audience = claims->audience.front();
  const crypto::WallTime issued(std::chrono::seconds(static_cast<std::int64_t>(claims->issued)));
  if (!admin::claims_hold(*claims, terms, issued)) return;
  check(claims->expires > claims->issued && claims->expires - claims->issued <= 3600);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_claims({data, size});
  const std::string as_header = encoded(text) + ".e30.AAAA";
  for (const std::string_view one : {text, std::string_view(as_header)}) {
    const auto jws = admin::parse_jws(one);
    if (!jws) {
      check(jws.error().sentence().empty());
      continue;
    }
    check(one.size() <= admin::kMostJwtBytes && !jws->signature.empty());
    check(one.starts_with(jws->signed_text) && one[jws->signed_text.size()] == '.');
    try_claims(jws->payload);
  }
  // A desk with a key that signed nothing lets nothing in.
  static const crypto::SteadyClock clock;
  admin::OidcIssuer issuer;
  issuer.terms.issuer = "https://login.example";
  issuer.terms.audience = "paravent";
  issuer.terms.algorithms = {crypto::SignatureAlgorithm::ed25519};
  admin::OidcDesk desk({issuer}, clock);
  auto keys = admin::KeySet::parse(
      R"({"keys":[{"kid":"k","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  check(keys.has_value());
  desk.use_keys(0, std::make_shared<const admin::KeySet>(std::move(*keys)));
  check(!desk.verify(text, crypto::WallTime(std::chrono::seconds(1'800'000'000))).has_value());
  return 0;
}
