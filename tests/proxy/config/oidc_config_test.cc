// operators.oidc of the gateway file: what is read, and each mistake with its place.

#include "proxy/config/oidc_config.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/config/gateway_config.h"

namespace paravent::proxy::config {
namespace {

LoadedConfig load(const std::string& issuers) {
  return load_gateway_text("g.yaml",
                           "listen: [{ address: 127.0.0.1:8080 }]\npolicies: [policy.yaml]\n"
                           "operators: { oidc: [{ " +
                               issuers + " }] }\n");
}

const std::string kLeast = "name: a, issuer: https://a, audience: p, keys: { file: f }";

TEST(OidcConfig, Defaults) {
  const LoadedConfig loaded = load(kLeast);
  ASSERT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  ASSERT_EQ(loaded.config.operators.oidc.size(), 1U);
  const OidcIssuerConfig& one = loaded.config.operators.oidc[0];
  EXPECT_EQ(one.name, "a");
  EXPECT_EQ(one.issuer, "https://a");
  EXPECT_EQ(one.audience, "p");
  EXPECT_EQ(one.keys_file, "f");
  EXPECT_EQ(one.algorithms, (std::vector<std::string>{"RS256", "ES256", "EdDSA"}));
  EXPECT_EQ(one.type, "");
  EXPECT_EQ(one.leeway_seconds, 30U);
  EXPECT_EQ(one.lifetime_minutes, 60U);
  EXPECT_EQ(one.refresh_seconds, 3600U);
  EXPECT_EQ(one.most_age_hours, 24U);
  EXPECT_TRUE(load_gateway_text("g", "listen: [{ address: 127.0.0.1:80 }]\npolicies: [p]\n")
                  .config.operators.oidc.empty());
}

TEST(OidcConfig, Everything) {
  const LoadedConfig loaded = load(
      "name: login-2, issuer: https://a, audience: p, keys: { url: 'https://a/keys?v=2', ca: c }, "
      "tenants: [atelier, garage], algorithms: [ES256], type: at+jwt, leeway-seconds: 0, "
      "lifetime-minutes: 5, "
      "refresh-seconds: 60, max-age-hours: 1 }, { name: b, issuer: b, audience: p, "
      "keys: { url: 'http://[::1]:80/k' } }, { name: c, issuer: c, audience: p, "
      "keys: { url: http://127.0.0.1:9/k }");
  ASSERT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  ASSERT_EQ(loaded.config.operators.oidc.size(), 3U);
  const OidcIssuerConfig& one = loaded.config.operators.oidc[0];
  EXPECT_EQ(one.keys_url, "https://a/keys?v=2");
  EXPECT_EQ(one.keys_ca, "c");
  EXPECT_EQ(one.algorithms, std::vector<std::string>{"ES256"});
  EXPECT_EQ(one.tenants, (std::vector<std::string>{"atelier", "garage"}));
  EXPECT_EQ(one.type, "at+jwt");
  EXPECT_EQ(one.leeway_seconds, 0U);
  EXPECT_EQ(one.lifetime_minutes, 5U);
  EXPECT_EQ(one.refresh_seconds, 60U);
  EXPECT_EQ(one.most_age_hours, 1U);
}

TEST(OidcConfig, MistakesHaveTheirPlace) {
  const auto with_keys = [](const std::string& keys) {
    return "name: a, issuer: https://a, audience: p, keys: " + keys;
  };
  const std::pair<std::string, std::string> mistakes[] = {
      {"issuer: https://a, audience: p, keys: { file: f }", "[0].name"},
      {"name: A, issuer: https://a, audience: p, keys: { file: f }", "[0].name"},
      {"name: a-name-of-17-char, issuer: https://a, audience: p, keys: { file: f }", "[0].name"},
      {"name: a, audience: p, keys: { file: f }", "[0].issuer"},
      {"name: a, issuer: 'a b', audience: p, keys: { file: f }", "[0].issuer"},
      {"name: a, issuer: https://a, keys: { file: f }", "[0].audience"},
      {"name: a, issuer: https://a, audience: p", "[0].keys"},
      {with_keys("{}"), "[0].keys"},
      {with_keys("{ file: f, url: https://a/k }"), "[0].keys"},
      {with_keys("{ file: f, ca: c }"), "[0].keys.ca"},
      {with_keys("{ url: http://a.example/k }"), "[0].keys.url"},
      {with_keys("{ url: http://localhost/k }"), "[0].keys.url"},
      {with_keys("{ url: 'http://10.0.0.1/k' }"), "[0].keys.url"},
      {with_keys("{ url: 'unix:/run/k' }"), "[0].keys.url"},
      {with_keys("{ url: 'https://a/k#x' }"), "[0].keys.url"},
      {with_keys("{ url: 'https://a/k x' }"), "[0].keys.url"},
      {with_keys("{ url: 'file:///etc/keys' }"), "[0].keys.url"},
      {kLeast + ", algorithms: [RS256, HS256]", "[0].algorithms"},
      {kLeast + ", algorithms: [none]", "[0].algorithms"},
      {kLeast + ", algorithms: []", "[0].algorithms"},
      {kLeast + ", tenants: []", "[0].tenants"},
      {kLeast + ", tenants: [a, a]", "[0].tenants"},
      {kLeast + ", type: ''", "[0].type"},
      {kLeast + ", leeway-seconds: 121", "[0].leeway-seconds"},
      {kLeast + ", lifetime-minutes: 1441", "[0].lifetime-minutes"},
      {kLeast + ", refresh-seconds: 0", "[0].refresh-seconds"},
      {kLeast + ", max-age-hours: 169", "[0].max-age-hours"},
      {kLeast + ", secret: x", "[0].secret"},
      {kLeast + " }, { " + kLeast, ""},
      {kLeast + " }, { name: b, issuer: https://a, audience: q, keys: { file: f }", ""},
  };
  for (const auto& [issuers, place] : mistakes) {
    const LoadedConfig loaded = load(issuers);
    ASSERT_EQ(loaded.diagnostics.count(policies::Severity::error), 1U)
        << issuers << "\n"
        << policies::diagnostics_text(loaded.diagnostics);
    EXPECT_EQ(loaded.diagnostics.items().front().key, "operators.oidc" + place) << issuers;
  }
}

}  // namespace
}  // namespace paravent::proxy::config
