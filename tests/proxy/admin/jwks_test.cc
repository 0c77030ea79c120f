// What a key set may look like, and what of it is used.

#include "proxy/admin/oidc/jwks.h"

#include <gtest/gtest.h>

#include "tests/proxy/admin/oidc_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::SignatureAlgorithm;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(KeySet, HoldsOneOfEach) {
  const SigningKey rsa = SigningKey::rsa();
  const SigningKey ec = SigningKey::p256();
  const SigningKey ed = SigningKey::ed25519();
  const auto keys =
      KeySet::parse(key_set(rsa.jwk("a", R"(,"use":"sig","alg":"RS256")") + "," +
                            ec.jwk("b", R"(,"key_ops":["verify"],"x5c":["..."],"unknown":{})") +
                            "," + ed.jwk("c", R"(,"alg":"EdDSA")")));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 3U);
  const auto* key = keys->find("a", SignatureAlgorithm::rsa_sha256);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->verify(crypto::as_bytes("text"), rsa.sign("text")));
  EXPECT_FALSE(key->verify(crypto::as_bytes("text"), ec.sign("text")));
  // A key is found under its own algorithm alone.
  EXPECT_EQ(keys->find("a", SignatureAlgorithm::ecdsa_p256_sha256), nullptr);
  EXPECT_EQ(keys->find("a", SignatureAlgorithm::ed25519), nullptr);
  key = keys->find("b", SignatureAlgorithm::ecdsa_p256_sha256);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->verify(crypto::as_bytes("text"), ec.sign("text")));
  key = keys->find("c", SignatureAlgorithm::ed25519);
  ASSERT_NE(key, nullptr);
  EXPECT_TRUE(key->verify(crypto::as_bytes("text"), ed.sign("text")));
  EXPECT_EQ(keys->find("A", SignatureAlgorithm::rsa_sha256), nullptr);
  EXPECT_EQ(keys->find("", SignatureAlgorithm::rsa_sha256), nullptr);
}

TEST(KeySet, PassesOverWhatIsForSomethingElse) {
  const SigningKey good = SigningKey::ed25519();
  const SigningKey rsa = SigningKey::rsa();
  const std::string others[] = {
      rsa.jwk("x", R"(,"use":"enc")"),
      rsa.jwk("x", R"(,"use":1)"),
      rsa.jwk("x", R"(,"alg":"RS512")"),
      rsa.jwk("x", R"(,"alg":"HS256")"),
      rsa.jwk("x", R"(,"alg":"none")"),
      rsa.jwk("x", R"(,"alg":["RS256"])"),
      rsa.jwk("x", R"(,"key_ops":["encrypt"])"),
      rsa.jwk("x", R"(,"key_ops":"verify")"),
      R"({"kid":"x","kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
      R"({"kid":"x","kty":"OKP","crv":"X25519","x":"AA"})",
      R"({"kid":"x","kty":"rsa"})",
      R"({"kid":"x"})",
      "{}",
  };
  for (const std::string& other : others) {
    const auto keys = KeySet::parse(key_set(other + "," + good.jwk("c")));
    ASSERT_TRUE(keys) << other;
    EXPECT_EQ(keys->size(), 1U) << other;
    EXPECT_EQ(keys->unusable(), 0U) << other;
    EXPECT_EQ(KeySet::parse(key_set(other)).value().size(), 0U) << other;
  }
}

TEST(KeySet, UsesNoKeyThatIsWeakOrWrong) {
  const SigningKey good = SigningKey::ed25519();
  const SigningKey rsa = SigningKey::rsa();
  const std::string ec = SigningKey::p256().jwk("x");
  const std::string ed = SigningKey::ed25519().jwk("x");
  const std::string x = R"("x":")";
  // The point (0, 0) is none of the curve.
  const std::string nowhere = R"({"kid":"x","kty":"EC","crv":"P-256","x":")" +
                              std::string(43, 'A') + R"(","y":")" + std::string(43, 'A') + R"("})";
  const std::string wrong[] = {
      SigningKey::rsa(1024).jwk("x"),
      SigningKey::rsa(2040).jwk("x"),
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":"Aw")"),       // 3
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":"AQAA")"),     // even
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":"AAEAAQ")"),   // a leading zero
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":"AQAAAAE")"),  // five bytes
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":"")"),
      replaced(rsa.jwk("x"), R"("e":"AQAB")", R"("e":65537)"),
      replaced(rsa.jwk("x"), R"("n":")", R"("n":"AA)"),
      replaced(rsa.jwk("x"), R"("n":")", R"("n":"=)"),
      replaced(rsa.jwk("x"), R"("n":)", R"("m":)"),
      replaced(rsa.jwk("x"), R"("kid":"x")", R"("kid":"")"),
      replaced(rsa.jwk("x"), R"("kid":"x")", R"("kid":7)"),
      replaced(rsa.jwk("x"), R"("kid":"x",)", ""),
      replaced(rsa.jwk("x"), R"("kid":"x")", R"("kid":")" + std::string(257, 'k') + "\""),
      nowhere,
      replaced(ec, R"("y":")", R"("y":"AA)"),
      replaced(ec, R"("y":)", R"("z":)"),
      replaced(ed, x, x + "AA"),
      replaced(ed, x, R"("y":")"),
  };
  for (const std::string& one : wrong) {
    const auto keys = KeySet::parse(key_set(one + "," + good.jwk("c")));
    ASSERT_TRUE(keys) << one;
    EXPECT_EQ(keys->size(), 1U) << one;
    EXPECT_EQ(keys->unusable(), 1U) << one;
    EXPECT_EQ(keys->find("x", SignatureAlgorithm::rsa_sha256), nullptr);
    EXPECT_EQ(keys->find("x", SignatureAlgorithm::ecdsa_p256_sha256), nullptr);
    EXPECT_EQ(keys->find("x", SignatureAlgorithm::ed25519), nullptr);
  }
}

// Read, and empty: the issuer has withdrawn its keys.
TEST(KeySet, MayBeEmpty) {
  const auto keys = KeySet::parse(R"({"keys":[]})");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 0U);
}

TEST(KeySet, TakesNeitherOfTwoKeysOfOneName) {
  const std::string good = SigningKey::ed25519().jwk("c");
  const auto keys =
      KeySet::parse(key_set(good + "," + SigningKey::ed25519().jwk("x") + "," +
                            SigningKey::p256().jwk("x") + "," + SigningKey::ed25519().jwk("x")));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 1U);
  EXPECT_NE(keys->find("c", SignatureAlgorithm::ed25519), nullptr);
}

// A key whose private half everybody can read is no key any more, by this name or another.
TEST(KeySet, TakesNoKeyThatEverybodyHas) {
  const SigningKey good = SigningKey::ed25519();
  const SigningKey leaked = SigningKey::ed25519();
  const SigningKey rsa = SigningKey::rsa();
  const std::string tail = ",\"d\":\"AA\"";
  const auto keys = KeySet::parse(key_set(
      leaked.jwk("a") + "," + leaked.jwk("b", tail) + "," + good.jwk("c") + "," +
      rsa.jwk("r", tail) + R"(,{"kid":"h","kty":"oct","k":"AA"},)" + SigningKey::p256().jwk("h")));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->exposed(), 3U);
  EXPECT_EQ(keys->size(), 1U);
  EXPECT_NE(keys->find("c", SignatureAlgorithm::ed25519), nullptr);
}

TEST(KeySet, IsRefusedWhole) {
  const std::string good = SigningKey::ed25519().jwk("c");
  std::string many;
  for (std::size_t i = 0; i <= kMostKeys; ++i) many += (i > 0 ? ",{}" : "{}");
  const std::string wrong[] = {
      "",
      "null",
      "[]",
      "{}",
      R"({"keys":{}})",
      R"({"keys":"x"})",
      R"({"keys":[1]})",
      R"({"keys":[[]]})",
      R"({"Keys":[)" + good + "]}",
      key_set(good) + "x",
      key_set(good + ","),
      R"({"keys":[)" + good + R"(],"keys":[]})",  // duplicate member
      key_set(replaced(good, R"("kid":"c")", R"("kid":"c","kid":"d")")),
      key_set(replaced(good, "}", R"(,"a":[[[[[[[[[[]]]]]]]]]]})")),  // nested too deep
      key_set(many),
      key_set(good) + std::string(kMostKeySetBytes, ' '),
      "\xef\xbb\xbf" + key_set(good),
  };
  for (const std::string& one : wrong) {
    const auto keys = KeySet::parse(one);
    ASSERT_FALSE(keys) << one.substr(0, 200);
    EXPECT_EQ(keys.error().kind(), crypto::ErrorKind::malformed);
    EXPECT_FALSE(keys.error().sentence().empty());
  }
}

// RFC 7638 3.1: the example; RFC 8037 A.3: Ed25519.
TEST(KeySet, NamesKeysByTheirThumbprints) {
  const auto keys = KeySet::parse(key_set(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7)"
      R"(aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4)"
      R"(QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNL)"
      R"(yrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDK)"
      R"(gw","e":"AQAB","alg":"RS256","kid":"2011-04-29"},)"
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed"})"));
  ASSERT_TRUE(keys);
  const KeyNames expected{{"2011-04-29", "RS256", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
                          {"ed", "EdDSA", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}};
  EXPECT_EQ(keys->names(), expected);
}

TEST(KeySet, KeepsOnlyWhatIsTold) {
  const SigningKey one = SigningKey::ed25519();
  const SigningKey two = SigningKey::p256();
  const KeyNames before = KeySet::parse(key_set(one.jwk("k")))->names();
  auto both = KeySet::parse(key_set(one.jwk("k") + "," + two.jwk("l"))).value();
  both.keep_only(before);
  EXPECT_EQ(both.names(), before);
  // Another key under an old name is another key.
  auto swapped = KeySet::parse(key_set(SigningKey::ed25519().jwk("k"))).value();
  swapped.keep_only(before);
  EXPECT_EQ(swapped.size(), 0U);
}

}  // namespace
}  // namespace paravent::proxy::admin
