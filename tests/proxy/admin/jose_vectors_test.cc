// The worked examples of RFC 7515, RFC 7517 and RFC 8037.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "proxy/admin/oidc/jwks.h"
#include "proxy/admin/oidc/jwt.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

std::string vector_text(const std::string& name) {
  EXPECT_TRUE(std::filesystem::exists("tests/vectors/jose/" + name)) << name;
  return test::whole_file("tests/vectors/jose/" + name);
}

class Example : public testing::TestWithParam<const char*> {};

// A key of the set, where it gets a name, verifies the example; and nothing of it may change.
TEST_P(Example, Verifies) {
  const auto example = boost::json::parse(vector_text(GetParam())).as_object();
  boost::json::object jwk = example.at("jwk").as_object();
  jwk["kid"] = "one";
  const boost::json::object set{{"keys", boost::json::array{jwk}}};
  const auto keys = KeySet::parse(boost::json::serialize(set));
  ASSERT_TRUE(keys);
  std::string text(example.at("jws").as_string());
  const auto jws = parse_jws(text);
  ASSERT_TRUE(jws);
  EXPECT_EQ(jws->algorithm, jws_algorithm(std::string(example.at("alg").as_string())));
  EXPECT_EQ(jws->kid, "");
  const crypto::VerificationKey* key = keys->find("one", jws->algorithm);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->verify(crypto::as_bytes(jws->signed_text), jws->signature));

  std::string other(jws->signed_text);
  other.back() = other.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(key->verify(crypto::as_bytes(other), jws->signature));
  for (std::size_t at = 0; at < jws->signature.size(); ++at) {
    crypto::Bytes altered = jws->signature;
    altered[at] ^= 1U;
    EXPECT_FALSE(key->verify(crypto::as_bytes(jws->signed_text), altered)) << at;
  }
  crypto::Bytes shorter = jws->signature;
  shorter.pop_back();
  EXPECT_FALSE(key->verify(crypto::as_bytes(jws->signed_text), shorter));
  crypto::Bytes longer = jws->signature;
  longer.push_back(0);
  EXPECT_FALSE(key->verify(crypto::as_bytes(jws->signed_text), longer));
  EXPECT_FALSE(key->verify(crypto::as_bytes(jws->signed_text), {}));
  const crypto::Bytes zero(jws->signature.size());
  EXPECT_FALSE(key->verify(crypto::as_bytes(jws->signed_text), zero));
}

INSTANTIATE_TEST_SUITE_P(Rfc, Example,
                         testing::Values("rfc7515-a2-rs256.json", "rfc7515-a3-es256.json",
                                         "rfc8037-a4-eddsa.json"));

// One key is for encryption: only the other can verify.
TEST(KeySetOfRfc7517, KnowsWhatItsKeysAreFor) {
  const auto keys = KeySet::parse(vector_text("rfc7517-a1-keys.json"));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 1U);
  EXPECT_EQ(keys->unusable(), 0U);
  EXPECT_NE(keys->find("2011-04-29", crypto::SignatureAlgorithm::rsa_sha256), nullptr);
  EXPECT_EQ(keys->find("2011-04-29", crypto::SignatureAlgorithm::ecdsa_p256_sha256), nullptr);
  EXPECT_EQ(keys->find("1", crypto::SignatureAlgorithm::ecdsa_p256_sha256), nullptr);
}

}  // namespace
}  // namespace paravent::proxy::admin
