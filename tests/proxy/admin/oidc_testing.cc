#include "tests/proxy/admin/oidc_testing.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "crypto/base/encoding.h"

namespace paravent::proxy::admin {
namespace {

std::string encoded(crypto::ByteView bytes) {
  std::string out;
  crypto::append_base64url(out, bytes);
  return out;
}

std::string number(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &value), 1) << name;
  crypto::Bytes bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)));
  EXPECT_GE(BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size())), 0);
  BN_free(value);
  return encoded(bytes);
}

}  // namespace

SigningKey SigningKey::rsa(unsigned bits) { return SigningKey(EVP_RSA_gen(bits)); }
SigningKey SigningKey::p256() { return SigningKey(EVP_EC_gen("P-256")); }
SigningKey SigningKey::ed25519() {
  return SigningKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

std::string SigningKey::algorithm() const {
  if (EVP_PKEY_is_a(get(), "RSA") == 1) return "RS256";
  return EVP_PKEY_is_a(get(), "EC") == 1 ? "ES256" : "EdDSA";
}

std::string SigningKey::jwk(std::string_view kid, std::string_view more) const {
  std::string out = R"({"kid":")" + std::string(kid) + R"(","kty":)";
  if (algorithm() == "RS256") {
    out += R"("RSA","n":")" + number(get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
           number(get(), OSSL_PKEY_PARAM_RSA_E) + "\"";
  } else if (algorithm() == "ES256") {
    out += R"("EC","crv":"P-256","x":")" + number(get(), OSSL_PKEY_PARAM_EC_PUB_X, 32) +
           R"(","y":")" + number(get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\"";
  } else {
    crypto::Bytes raw(32);
    std::size_t size = raw.size();
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(get(), raw.data(), &size), 1);
    out += R"("OKP","crv":"Ed25519","x":")" + encoded(raw) + "\"";
  }
  return out.append(more).append("}");
}

crypto::Bytes SigningKey::sign(std::string_view text) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool hashes = algorithm() != "EdDSA";
  EXPECT_EQ(EVP_DigestSignInit_ex(context, nullptr, hashes ? "SHA256" : nullptr, nullptr, nullptr,
                                  get(), nullptr),
            1);
  const crypto::ByteView bytes = crypto::as_bytes(text);
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes.data(), bytes.size()), 1);
  crypto::Bytes signature(size);
  EXPECT_EQ(EVP_DigestSign(context, signature.data(), &size, bytes.data(), bytes.size()), 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  if (algorithm() != "ES256") return signature;
  const std::uint8_t* der = signature.data();
  ECDSA_SIG* both = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(signature.size()));
  crypto::Bytes raw(64);
  EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_r(both), raw.data(), 32), 32);
  EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_s(both), raw.data() + 32, 32), 32);
  ECDSA_SIG_free(both);
  return raw;
}

std::string base64url(std::string_view text) { return encoded(crypto::as_bytes(text)); }

std::string key_set(std::string_view jwks) { return R"({"keys":[)" + std::string(jwks) + "]}"; }

std::string json_of(const JsonText& members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  }
  return out + "}";
}

JsonText header_of(const SigningKey& key, std::string_view kid) {
  return {{"alg", "\"" + key.algorithm() + "\""}, {"kid", "\"" + std::string(kid) + "\""}};
}

JsonText claims_of(std::int64_t now) {
  return {{"iss", "\"https://login.example\""},
          {"sub", "\"crm-1\""},
          {"aud", "\"paravent\""},
          {"iat", std::to_string(now)},
          {"exp", std::to_string(now + 600)}};
}

std::string signed_jwt(const SigningKey& key, std::string_view header, std::string_view claims) {
  const std::string text = base64url(header) + "." + base64url(claims);
  return text + "." + encoded(key.sign(text));
}

std::string signed_jwt(const SigningKey& key, const JsonText& header, const JsonText& claims) {
  return signed_jwt(key, json_of(header), json_of(claims));
}

}  // namespace paravent::proxy::admin
