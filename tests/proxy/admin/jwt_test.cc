// A JWT as a credential: every rule of RFC 8725 that has a no in it, one case each.

#include "proxy/admin/oidc/jwt.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "proxy/admin/oidc/oidc_desk.h"
#include "tests/proxy/admin/oidc_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::SignatureAlgorithm;

constexpr std::int64_t kNow = 1'800'000'000;  // seconds

crypto::WallTime at(std::int64_t seconds) {
  return crypto::WallTime(std::chrono::seconds(seconds));
}

class StillClock final : public crypto::MonotonicClock {
 public:
  crypto::MonotonicTime now() const noexcept override { return time; }
  crypto::MonotonicTime time = crypto::MonotonicTime() + std::chrono::hours(1000);
};

OidcIssuer issuer() {
  OidcIssuer one;
  one.name = "login";
  one.terms.issuer = "https://login.example";
  one.terms.audience = "paravent";
  one.terms.algorithms = {SignatureAlgorithm::rsa_sha256, SignatureAlgorithm::ecdsa_p256_sha256,
                          SignatureAlgorithm::ed25519};
  one.terms.leeway = std::chrono::seconds(30);
  one.terms.lifetime = std::chrono::minutes(60);
  return one;
}

// A desk that knows one key of each algorithm: "r", "e" and "d".
class Desk : public testing::Test {
 protected:
  Desk() { use(desk_); }

  void use(OidcDesk& desk) {
    auto keys = KeySet::parse(key_set(rsa_.jwk("r") + "," + ec_.jwk("e") + "," + ed_.jwk("d")));
    ASSERT_TRUE(keys);
    desk.use_keys(0, std::make_shared<const KeySet>(std::move(*keys)));
  }
  bool enters(const std::string& jwt, std::int64_t now = kNow) {
    return desk_.verify(jwt, at(now)).has_value();
  }
  // The good credential with one member of its header or its claims changed; empty: taken out.
  std::string with_header(const std::string& name, const std::string& value) {
    JsonText header = header_of(ec_, "e");
    change(header, name, value);
    return signed_jwt(ec_, header, claims_of(kNow));
  }
  std::string with_claim(const std::string& name, const std::string& value) {
    JsonText claims = claims_of(kNow);
    change(claims, name, value);
    return signed_jwt(ec_, header_of(ec_, "e"), claims);
  }
  static void change(JsonText& members, const std::string& name, const std::string& value) {
    if (value.empty()) {
      members.erase(name);
    } else {
      members[name] = value;
    }
  }

  SigningKey rsa_ = SigningKey::rsa();
  SigningKey ec_ = SigningKey::p256();
  SigningKey ed_ = SigningKey::ed25519();
  StillClock clock_;
  OidcDesk desk_{{issuer()}, clock_};
};

TEST_F(Desk, LetsGoodOnesIn) {
  const std::pair<const SigningKey*, const char*> keys[] = {{&rsa_, "r"}, {&ec_, "e"}, {&ed_, "d"}};
  for (const auto& [key, kid] : keys) {
    const auto who =
        desk_.verify(signed_jwt(*key, header_of(*key, kid), claims_of(kNow)), at(kNow));
    ASSERT_TRUE(who) << kid;
    EXPECT_EQ(who->issuer, "login");
    EXPECT_EQ(who->subject, "crm-1");
    EXPECT_TRUE(who->claims.holds("aud", "paravent"));
  }
}

TEST_F(Desk, KeepsAlgorithmAndKeyTogether) {
  const std::string claims = json_of(claims_of(kNow));
  const std::string header = json_of(header_of(ec_, "e"));
  // None, and every name that is none of the three.
  for (const char* alg : {"none", "None", "NONE", "HS256", "HS384", "HS512", "RS384", "RS512",
                          "PS256", "ES384", "ES256K", "Ed25519", "es256", ""}) {
    EXPECT_FALSE(enters(with_header("alg", "\"" + std::string(alg) + "\""))) << alg;
  }
  EXPECT_FALSE(enters(with_header("alg", "")));
  EXPECT_FALSE(enters(with_header("alg", R"(["ES256"])")));
  EXPECT_FALSE(enters(with_header("alg", "null")));
  // Unsigned.
  EXPECT_FALSE(enters(base64url(R"({"alg":"none","kid":"e"})") + "." + base64url(claims) + "."));
  EXPECT_FALSE(enters(base64url(header) + "." + base64url(claims) + "."));
  EXPECT_FALSE(enters(base64url(header) + "." + base64url(claims)));
  // The public key as a secret: what broke libraries that let the header choose.
  JsonText hmac = header_of(rsa_, "r");
  hmac["alg"] = "\"HS256\"";
  EXPECT_FALSE(enters(signed_jwt(rsa_, hmac, claims_of(kNow))));
  // One key's name and another's algorithm or signature.
  JsonText mixed = header_of(rsa_, "e");
  EXPECT_FALSE(enters(signed_jwt(rsa_, mixed, claims_of(kNow))));
  mixed = header_of(ec_, "r");
  EXPECT_FALSE(enters(signed_jwt(ec_, mixed, claims_of(kNow))));
  EXPECT_FALSE(enters(signed_jwt(ec_, header_of(ed_, "d"), claims_of(kNow))));
  // Another's key under our key's name.
  const SigningKey stranger = SigningKey::p256();
  EXPECT_FALSE(enters(signed_jwt(stranger, header_of(stranger, "e"), claims_of(kNow))));
  // An algorithm that this issuer does not use.
  OidcIssuer strict = issuer();
  strict.terms.algorithms = {SignatureAlgorithm::rsa_sha256};
  OidcDesk desk({strict}, clock_);
  use(desk);
  EXPECT_FALSE(desk.verify(signed_jwt(ec_, header_of(ec_, "e"), claims_of(kNow)), at(kNow)));
  EXPECT_TRUE(desk.verify(signed_jwt(rsa_, header_of(rsa_, "r"), claims_of(kNow)), at(kNow)));
}

TEST_F(Desk, TakesSignaturesInOneFormOnly) {
  const std::string text =
      base64url(json_of(header_of(ec_, "e"))) + "." + base64url(json_of(claims_of(kNow)));
  const crypto::Bytes raw = ec_.sign(text);
  const auto with = [&](const crypto::Bytes& signature) {
    return text + "." + base64url(crypto::as_text(signature));
  };
  EXPECT_TRUE(enters(with(raw)));
  crypto::Bytes padded{0};
  padded.insert(padded.end(), raw.begin(), raw.end());
  EXPECT_FALSE(enters(with(padded)));
  // DER, as OpenSSL writes it and RFC 7518 does not.
  crypto::Bytes der{0x30, 0x44, 0x02, 0x20};
  der.insert(der.end(), raw.begin(), raw.begin() + 32);
  der.insert(der.end(), {0x02, 0x20});
  der.insert(der.end(), raw.begin() + 32, raw.end());
  EXPECT_FALSE(enters(with(der)));
  EXPECT_FALSE(enters(with(crypto::Bytes(64))));
  EXPECT_FALSE(enters(with(crypto::Bytes(64, 0xff))));
  // What was signed, and nothing else.
  const std::string other =
      base64url(json_of(header_of(ec_, "e"))) + "." + base64url(json_of(claims_of(kNow + 1)));
  EXPECT_FALSE(enters(other + "." + base64url(crypto::as_text(raw))));
}

TEST_F(Desk, RefusesHeadersThatNobodyNeeds) {
  EXPECT_TRUE(enters(with_header("x5t", "\"abc\"")));  // says which certificate; believed by nobody
  EXPECT_TRUE(enters(with_header("typ", "\"JWT\"")));
  EXPECT_TRUE(enters(with_header("typ", "\"application/at+jwt\"")));
  const std::string jwk = SigningKey::p256().jwk("e");
  const std::pair<const char*, std::string> wrong[] = {
      {"crit", R"(["exp"])"},
      {"crit", "[]"},
      {"b64", "false"},
      {"jwk", jwk},
      {"jku", "\"https://evil.example/keys\""},
      {"x5u", "\"https://evil.example/cert\""},
      {"x5c", R"(["MIIB"])"},
      {"enc", "\"A256GCM\""},
      {"zip", "\"DEF\""},
      {"cty", "\"JWT\""},
      {"typ", "\"logout+jwt\""},
      {"typ", "\"secevent+jwt\""},
      {"typ", "\"\""},
      {"typ", "7"},
      {"kid", ""},  // left out
      {"kid", "\"\""},
      {"kid", "7"},
      {"kid", "\"unknown\""},
      {"kid", "\"../../e\""},
      {"kid", "\"" + std::string(257, 'e') + "\""},
  };
  for (const auto& [name, value] : wrong) {
    EXPECT_FALSE(enters(with_header(name, value))) << name << " " << value;
  }
}

TEST_F(Desk, AsksForATypeWhereOneIsSaid) {
  OidcIssuer typed = issuer();
  typed.terms.type = "paravent+jwt";
  OidcDesk desk({typed}, clock_);
  use(desk);
  EXPECT_TRUE(desk.verify(with_header("typ", "\"paravent+jwt\""), at(kNow)));
  EXPECT_TRUE(desk.verify(with_header("typ", "\"application/PARAVENT+JWT\""), at(kNow)));
  EXPECT_FALSE(desk.verify(with_header("typ", "\"JWT\""), at(kNow)));
  EXPECT_FALSE(desk.verify(with_header("typ", ""), at(kNow)));
}

TEST_F(Desk, ReadsJsonAndBase64InOneSpelling) {
  const std::string header = json_of(header_of(ec_, "e"));
  const std::string claims = json_of(claims_of(kNow));
  EXPECT_TRUE(enters(signed_jwt(ec_, header, claims)));
  const auto behind = [](std::string text, std::string_view more) {
    return text.insert(text.size() - 1, more);
  };
  const std::string wrong[] = {
      signed_jwt(ec_, behind(header, R"(,"alg":"ES256")"), claims),  // duplicate members
      signed_jwt(ec_, behind(header, R"(,"\u0061lg":"ES256")"), claims),
      signed_jwt(ec_, header, behind(claims, R"(,"sub":"admin")")),
      signed_jwt(ec_, header, behind(claims, R"(,"x":{"a":1,"a":2})")),
      signed_jwt(ec_, header + " x", claims),
      signed_jwt(ec_, header, claims + "{}"),
      signed_jwt(ec_, header, ""),
      signed_jwt(ec_, "", claims),
      signed_jwt(ec_, "[]", claims),
      signed_jwt(ec_, header, "[]"),
      signed_jwt(ec_, header, "\"text\""),
      signed_jwt(ec_, header, behind(claims, ",\"x\":\"\xff\"")),
      signed_jwt(ec_, header, behind(claims, R"(,"x":[[[[[[[[[[1]]]]]]]]]])")),  // nested too deep
      signed_jwt(ec_, header, behind(claims, ",\"x\":\"" + std::string(9000, 'x') + "\"")),
      "",
      ".",
      "..",
      "...",
      "a.b",
      signed_jwt(ec_, header, claims) + ".x",
      signed_jwt(ec_, header, claims) + "=",
      "." + signed_jwt(ec_, header, claims),
      " " + signed_jwt(ec_, header, claims),
  };
  for (const std::string& jwt : wrong) EXPECT_FALSE(enters(jwt)) << jwt.substr(0, 300);
  // Spare bits that are not zero: the same bytes in another spelling.
  std::string spelled = signed_jwt(ec_, header, claims);
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  spelled.back() = letters[letters.find(spelled.back()) | 1U];
  EXPECT_FALSE(enters(spelled));
  for (const char* bad : {"+", "/", "%2B", "\n", "="}) {
    std::string text = signed_jwt(ec_, header, claims);
    text.insert(4, bad);
    EXPECT_FALSE(enters(text)) << bad;
  }
}

TEST_F(Desk, BelievesClaimsForUsAlone) {
  EXPECT_TRUE(enters(with_claim("aud", R"(["other","paravent"])")));
  EXPECT_TRUE(enters(with_claim("nbf", std::to_string(kNow))));
  EXPECT_TRUE(enters(with_claim("scope", "\"a b\"")));
  const std::pair<const char*, std::string> wrong[] = {
      {"iss", ""},
      {"iss", "\"https://login.example/\""},
      {"iss", "\"https://LOGIN.example\""},
      {"iss", "\"https://evil.example\""},
      {"iss", R"(["https://login.example"])"},
      {"aud", ""},
      {"aud", "\"Paravent\""},
      {"aud", "\"paravent2\""},
      {"aud", R"(["other"])"},
      {"aud", "[]"},
      {"aud", R"(["paravent",1])"},
      {"aud", R"({"paravent":true})"},
      {"sub", ""},
      {"sub", "\"\""},
      {"sub", "7"},
      {"sub", "\"a b\""},
      {"sub", "\"a\\nb\""},
      {"sub", "\"\u00e9\""},
      {"sub", "\"" + std::string(129, 's') + "\""},
      {"exp", ""},
      {"exp", std::to_string(kNow)},         // not after iat
      {"exp", std::to_string(kNow + 3601)},  // longer than allowed
      {"exp", "\"1800000600\""},
      {"exp", "1800000600.5"},
      {"exp", "1.8e9"},
      {"exp", "-1"},
      {"exp", "18446744073709551616"},
      {"exp", "99999999999999"},
      {"exp", "null"},
      {"iat", ""},
      {"iat", std::to_string(kNow + 31)},  // from the future
      {"iat", "true"},
      {"nbf", std::to_string(kNow + 31)},
      {"nbf", "\"1800000000\""},
  };
  for (const auto& [name, value] : wrong) {
    EXPECT_FALSE(enters(with_claim(name, value))) << name << " " << value;
  }
}

TEST_F(Desk, CountsTimeWithALittleLeeway) {
  const std::string jwt = signed_jwt(ec_, header_of(ec_, "e"), claims_of(kNow));
  EXPECT_TRUE(enters(jwt, kNow - 30));
  EXPECT_FALSE(enters(jwt, kNow - 31));
  EXPECT_TRUE(enters(jwt, kNow + 629));
  EXPECT_FALSE(enters(jwt, kNow + 630));
  EXPECT_FALSE(enters(jwt, kNow + 1'000'000));
}

TEST_F(Desk, TellsIssuersApart) {
  OidcIssuer second = issuer();
  second.name = "other";
  second.terms.issuer = "https://other.example";
  OidcDesk desk({issuer(), second}, clock_);
  use(desk);
  auto keys = KeySet::parse(key_set(ed_.jwk("e2")));
  desk.use_keys(1, std::make_shared<const KeySet>(std::move(*keys)));
  JsonText claims = claims_of(kNow);
  EXPECT_TRUE(desk.verify(signed_jwt(ec_, header_of(ec_, "e"), claims), at(kNow)));
  // The first issuer's key says nothing about the second's subjects.
  claims["iss"] = "\"https://other.example\"";
  EXPECT_FALSE(desk.verify(signed_jwt(ec_, header_of(ec_, "e"), claims), at(kNow)));
  const auto who = desk.verify(signed_jwt(ed_, header_of(ed_, "e2"), claims), at(kNow));
  ASSERT_TRUE(who);
  EXPECT_EQ(who->issuer, "other");
}

TEST_F(Desk, UsesKeysUntilTheyAreTooOld) {
  const std::string jwt = signed_jwt(ec_, header_of(ec_, "e"), claims_of(kNow));
  clock_.time += std::chrono::hours(24);
  EXPECT_TRUE(enters(jwt));
  EXPECT_FALSE(desk_.states().front().stale);
  clock_.time += std::chrono::seconds(1);
  EXPECT_FALSE(enters(jwt));
  EXPECT_TRUE(desk_.states().front().stale);
  use(desk_);
  EXPECT_TRUE(enters(jwt));
  EXPECT_EQ(desk_.states().front().keys, 3U);
  EXPECT_EQ(desk_.states().front().age, std::chrono::seconds(0));
}

TEST_F(Desk, AsksForKeysItDoesNotKnow) {
  std::vector<std::size_t> wishes;
  desk_.on_unknown_key([&](std::size_t place) { wishes.push_back(place); });
  const SigningKey next = SigningKey::ed25519();
  const std::string jwt = signed_jwt(next, header_of(next, "next"), claims_of(kNow));
  EXPECT_FALSE(enters(jwt));
  EXPECT_EQ(wishes.size(), 1U);
  // Another issuer's, and what is wrong in itself, ask for nothing.
  EXPECT_FALSE(enters(with_claim("iss", "\"https://evil.example\"")));
  EXPECT_FALSE(enters(with_header("alg", "\"none\"")));
  EXPECT_EQ(wishes.size(), 1U);
  auto keys = KeySet::parse(key_set(next.jwk("next")));
  desk_.use_keys(0, std::make_shared<const KeySet>(std::move(*keys)));
  EXPECT_TRUE(enters(jwt));
  // A key that is gone from the set is gone.
  EXPECT_FALSE(enters(signed_jwt(ec_, header_of(ec_, "e"), claims_of(kNow))));
}

TEST_F(Desk, WithoutKeysNobodyEnters) {
  OidcDesk empty({issuer()}, clock_);
  EXPECT_FALSE(empty.verify(signed_jwt(ec_, header_of(ec_, "e"), claims_of(kNow)), at(kNow)));
  EXPECT_EQ(empty.states().front().keys, 0U);
}

TEST(BearerJwt, IsToldFromOurCredentials) {
  EXPECT_TRUE(bearer_jwt("Bearer a.b.c"));
  EXPECT_FALSE(bearer_jwt("Bearer pvcred_abc"));
  EXPECT_FALSE(bearer_jwt("bearer a.b.c"));
  EXPECT_FALSE(bearer_jwt("a.b.c"));
  EXPECT_FALSE(bearer_jwt(""));
  EXPECT_FALSE(bearer_jwt("Bearer " + std::string(kMostJwtBytes, '.') + "."));
}

}  // namespace
}  // namespace paravent::proxy::admin
