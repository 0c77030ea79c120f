// A JWT as a bearer credential: its parts, and whether its claims hold (RFC 7519, RFC 8725).
//
// Two steps, so that nothing of a claim is believed before the signature was: parse_jws() takes the
// compact form apart (RFC 7515 7.1) and refuses what no credential needs; the caller finds the key
// and verifies; read_claims() and claims_hold() judge what was signed. Pure functions; any thread.
// Nothing here keeps or repeats a credential.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/primitives/public_signature.h"
#include "proxy/admin/oidc/json_members.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostJwtBytes = 8192;
inline constexpr std::size_t kMostSubjectBytes = 128;
inline constexpr std::size_t kMostAudiences = 16;

struct Jws {
  crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rsa_sha256;
  std::string kid;   // empty: none
  std::string type;  // `typ` in lower case without "application/"; empty: none
  std::string_view signed_text;
  crypto::Bytes payload;
  crypto::Bytes signature;
};

// ErrorKind::malformed without a sentence: not three parts of strict base64url, more than 8 KiB, a
// header that is no JSON object, another algorithm than RS256, ES256 and EdDSA, or a header with
// `crit`, `b64`, `cty`, `enc`, `zip`, or one that brings a key of its own: `jwk`, `jku`, `x5c`,
// `x5u` (RFC 8725 3.1, 3.10). Views into `text`, which must outlive the answer.
crypto::Result<Jws> parse_jws(std::string_view text);

// Times are seconds since 1970, whole.
struct JwtClaims {
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;
  std::uint64_t issued = 0;
  std::uint64_t expires = 0;
  std::optional<std::uint64_t> not_before;
  JsonMembers all;
};

// ErrorKind::malformed: no JSON object; iss, sub, aud, exp or iat missing; one of these or nbf of
// another type; a subject that is_oidc_subject() refuses.
crypto::Result<JwtClaims> read_claims(crypto::ByteView payload);

// 1 to 128 printable ASCII characters without blank, quote and backslash: it becomes part of an
// operator's name.
bool is_oidc_subject(std::string_view text) noexcept;

// What an issuer's credentials have to say to be good here.
struct JwtTerms {
  std::string issuer;                                  // iss, to the letter
  std::string audience;                                // one of aud
  std::vector<crypto::SignatureAlgorithm> algorithms;  // that this issuer uses
  std::string type;                     // typ; empty: none, "jwt" and "at+jwt" (RFC 9068) are good
  std::chrono::seconds leeway{0};       // between two clocks
  std::chrono::seconds lifetime{3600};  // from iat to exp at most
};

// Whether the header is one of this issuer's: algorithm and type.
bool header_holds(const Jws& jws, const JwtTerms& terms);
bool claims_hold(const JwtClaims& claims, const JwtTerms& terms, crypto::WallTime now);

}  // namespace paravent::proxy::admin
