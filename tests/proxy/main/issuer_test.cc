// To which tenant an issuer belongs, and what the record says of its keys.

#include <gtest/gtest.h>

#include "policies/model/load_policy.h"
#include "proxy/main/issuer_binding.h"
#include "proxy/main/issuer_record.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::main {
namespace {

using admin::KeyNames;

// A policy of each tenant with these entries.
PolicySet policies_of(const std::vector<std::pair<std::string, std::string>>& tenants) {
  PolicySet set;
  for (const auto& [tenant, entries] : tenants) {
    std::string text = admin::admin_test_policy();
    text.replace(text.find("atelier"), 7, tenant);
    auto loaded = policies::load_policy_text("p.yaml", text + entries);
    EXPECT_TRUE(loaded.ok()) << policies::diagnostics_text(loaded.diagnostics);
    set.policies.push_back(std::move(loaded.policy));
  }
  return set;
}

std::string wrong(const PolicySet& set, std::vector<std::string> tenants = {}) {
  config::OidcIssuerConfig issuer;
  issuer.name = "login";
  issuer.tenants = std::move(tenants);
  const auto status = check_issuers(set, {issuer});
  if (status) return "";
  EXPECT_EQ(status.error().kind(), crypto::ErrorKind::configuration);
  return status.error().sentence();
}

constexpr const char* kOne = "oidc: [{ issuer: login, subject: one, role: dpo }]\n";
constexpr const char* kTwo = "oidc: [{ issuer: login, subject: two, role: dpo }]\n";
constexpr const char* kClaims = "oidc: [{ issuer: login, claims: { scope: a }, role: dpo }]\n";
constexpr const char* kOther = "oidc: [{ issuer: other, claims: { scope: a }, role: dpo }]\n";

TEST(IssuerBinding, AnIssuerBelongsToOneTenant) {
  EXPECT_EQ(wrong(policies_of({{"atelier", kOne}})), "");
  EXPECT_EQ(wrong(policies_of({{"atelier", kClaims}, {"garage", kOther}})), "");
  const std::string both = wrong(policies_of({{"atelier", kOne}, {"garage", kTwo}}));
  EXPECT_NE(both.find("atelier, garage"), std::string::npos) << both;
}

TEST(IssuerBinding, OnlyTheTenantsThatAreToldNameIt) {
  EXPECT_EQ(wrong(policies_of({{"atelier", kClaims}}), {"atelier"}), "");
  EXPECT_NE(wrong(policies_of({{"garage", kOne}}), {"atelier"}), "");
  EXPECT_EQ(wrong(policies_of({{"atelier", kOne}, {"garage", kTwo}}), {"atelier", "garage"}), "");
}

// Whoever asks for a credential has a say in its claims.
TEST(IssuerBinding, WhereItIsSharedSubjectsDecide) {
  const std::vector<std::string> shared{"atelier", "garage"};
  EXPECT_NE(wrong(policies_of({{"atelier", kOne}, {"garage", kClaims}}), shared), "");
  EXPECT_NE(wrong(policies_of({{"atelier", kOne}, {"garage", kOne}}), shared), "");
}

class IssuerKeys : public testing::Test {
 protected:
  // What the log was told since `from`: "object | remark".
  static std::vector<std::string> told(crypto::audit::AuditLog& log, std::uint64_t from) {
    std::vector<std::string> all;
    const auto records = log.read(from, 1000).value();
    for (const auto& record : records) {
      EXPECT_EQ(record.open.event, crypto::audit::EventKind::operator_change);
      all.push_back(record.detail->object + " | " + record.detail->remark);
    }
    return all;
  }

  admin::Api api_;
  IssuerRecord record_;
  std::vector<IssuerRecord::Place> places_{{&api_.logs->installation(), {"login", "other"}},
                                           {&api_.log(), {"login"}}};
};

TEST_F(IssuerKeys, AreOnTheRecordOfWhomTheyConcern) {
  crypto::audit::AuditLog& installation = api_.logs->installation();
  std::uint64_t all = installation.size();
  std::uint64_t mine = api_.log().size();
  record_.use("login", {{"a", "EdDSA", "ta"}, {"b", "RS256", "tb"}});
  record_.use("other", {});
  ASSERT_TRUE(record_.write(places_));
  const std::vector<std::string> first{"oidc:login keys | trusted from here on, and no others: 2",
                                       "oidc:login key a | trusted EdDSA thumbprint ta",
                                       "oidc:login key b | trusted RS256 thumbprint tb"};
  EXPECT_EQ(told(api_.log(), mine), first);
  auto with_other = first;
  with_other.emplace_back("oidc:other keys | trusted from here on, and no others: 0");
  EXPECT_EQ(told(installation, all), with_other);

  mine = api_.log().size();
  ASSERT_TRUE(record_.write(places_));
  EXPECT_EQ(api_.log().size(), mine) << "nothing new";
  // One goes, one comes, and one is another key under its old name.
  record_.use("login", {{"b", "RS256", "tb2"}, {"c", "ES256", "tc"}});
  ASSERT_TRUE(record_.write(places_));
  const std::vector<std::string> second{"oidc:login key b | trusted RS256 thumbprint tb2",
                                        "oidc:login key c | trusted ES256 thumbprint tc",
                                        "oidc:login key a | withdrawn EdDSA thumbprint ta",
                                        "oidc:login key b | withdrawn RS256 thumbprint tb"};
  EXPECT_EQ(told(api_.log(), mine), second);
}

// A tenant whose policy names the issuer later is told then what is in force.
TEST_F(IssuerKeys, WhoComesLaterIsToldAll) {
  record_.use("login", {{"a", "EdDSA", "ta"}});
  ASSERT_TRUE(record_.write({places_[0]}));
  const std::uint64_t mine = api_.log().size();
  const std::uint64_t all = api_.logs->installation().size();
  ASSERT_TRUE(record_.write(places_));
  EXPECT_EQ(told(api_.log(), mine).size(), 2U);
  EXPECT_EQ(api_.logs->installation().size(), all);
}

// The dossier of a subject says which keys could sign for it.
TEST_F(IssuerKeys, AreInTheDossierOfTheIssuersSubjects) {
  record_.use("login", {{"a", "EdDSA", "ta"}});
  ASSERT_TRUE(record_.write(places_));
  const auto asks = [&](const std::string& who) {
    std::string text = admin::admin_test_policy();
    const auto answer =
        api_.post("dpo", "/v1/dossier", R"({"reason":"r","operator":")" + who + "\"}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body).at("entries").as_array().size();
  };
  EXPECT_EQ(asks("oidc:login/crm-1"), 2U);
  EXPECT_EQ(asks("oidc:log/crm-1"), 0U);
  EXPECT_EQ(asks("somebody"), 0U);
}

}  // namespace
}  // namespace paravent::proxy::main
