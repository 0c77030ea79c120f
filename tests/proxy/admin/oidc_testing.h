// An issuer with keys of its own, made by OpenSSL for each test: key sets as it would publish them,
// and credentials signed with them, good ones and every kind of bad one.

#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace paravent::proxy::admin {

class SigningKey {
 public:
  static SigningKey rsa(unsigned bits = 2048);
  static SigningKey p256();
  static SigningKey ed25519();

  // RS256, ES256 or EdDSA, as the key is.
  std::string algorithm() const;
  // The public key as a JWK; `more`: further members, each with a comma in front.
  std::string jwk(std::string_view kid, std::string_view more = "") const;
  // In the form of RFC 7518.
  crypto::Bytes sign(std::string_view text) const;
  EVP_PKEY* get() const { return key_.get(); }

 private:
  explicit SigningKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}
  std::shared_ptr<EVP_PKEY> key_;
};

std::string base64url(std::string_view text);
std::string key_set(std::string_view jwks);  // {"keys":[...]}

// Members of a JSON object by name, each with its value as JSON; what a test changes is one line.
using JsonText = std::map<std::string, std::string, std::less<>>;
std::string json_of(const JsonText& members);

// alg and kid of the key.
JsonText header_of(const SigningKey& key, std::string_view kid);
// For us, of the subject "crm-1", issued at `now` (seconds), good for ten minutes.
JsonText claims_of(std::int64_t now);

// HEADER.CLAIMS.SIGNATURE, signed by the key over exactly these texts.
std::string signed_jwt(const SigningKey& key, std::string_view header, std::string_view claims);
std::string signed_jwt(const SigningKey& key, const JsonText& header, const JsonText& claims);

}  // namespace paravent::proxy::admin
