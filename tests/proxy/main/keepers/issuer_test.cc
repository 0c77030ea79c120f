// To which tenant an issuer belongs, and what the record says of its keys.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "policies/model/load_policy.h"
#include "proxy/admin/dossier_issuer.h"
#include "proxy/admin/utc_text.h"
#include "proxy/main/installation/issuer_binding.h"
#include "proxy/main/keepers/issuer_record.h"
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

TEST_F(IssuerKeys, ThatBecameTooOldAreOnTheRecord) {
  record_.use("login", {{"a", "EdDSA", "ta"}});
  ASSERT_TRUE(record_.write(places_));
  std::uint64_t mine = api_.log().size();
  record_.too_old("login");
  EXPECT_TRUE(record_.keys("login").empty());
  ASSERT_TRUE(record_.write(places_));
  ASSERT_TRUE(record_.write(places_));
  EXPECT_EQ(told(api_.log(), mine),
            (std::vector<std::string>{
                "oidc:login keys | too old to be used from here on; nobody comes in by them"}));
  // Read again at last: all of it is said anew, although no key is another.
  mine = api_.log().size();
  record_.use("login", {{"a", "EdDSA", "ta"}});
  ASSERT_TRUE(record_.write(places_));
  EXPECT_EQ(told(api_.log(), mine),
            (std::vector<std::string>{"oidc:login keys | trusted from here on, and no others: 1",
                                      "oidc:login key a | trusted EdDSA thumbprint ta"}));
}

constexpr const char* kGone = "oidc:login keys | not configured any more; nobody comes in by them";

// A policy that names it no more, and a gateway file that does not, at a reload or a restart.
TEST_F(IssuerKeys, OfAnIssuerThatIsGoneAreOffTheRecord) {
  const auto file = api_.folder.path() / "oidc-told";
  ASSERT_TRUE(record_.remember_in(file));
  record_.use("login", {{"a", "EdDSA", "ta"}});
  ASSERT_TRUE(record_.write(places_));
  std::uint64_t mine = api_.log().size();
  const std::uint64_t all = api_.logs->installation().size();
  ASSERT_TRUE(record_.write({places_[0], {&api_.log(), {}}}));
  ASSERT_TRUE(record_.write({places_[0], {&api_.log(), {}}}));
  EXPECT_EQ(told(api_.log(), mine), std::vector<std::string>{kGone});
  EXPECT_EQ(api_.logs->installation().size(), all) << "it is configured still";

  // Back again, and then gone at a start: only the file knows that it was there.
  ASSERT_TRUE(record_.write(places_));
  mine = api_.log().size();
  IssuerRecord later;
  ASSERT_TRUE(later.remember_in(file));
  ASSERT_TRUE(later.write(places_));
  EXPECT_EQ(api_.log().size(), mine) << "nothing is known yet";
  ASSERT_TRUE(later.write({{&api_.logs->installation(), {"other"}}, {&api_.log(), {}}}));
  EXPECT_EQ(told(api_.log(), mine), std::vector<std::string>{kGone});
  EXPECT_EQ(told(api_.logs->installation(), all), std::vector<std::string>{kGone});
  IssuerRecord last;
  ASSERT_TRUE(last.remember_in(file));
  mine = api_.log().size();
  ASSERT_TRUE(last.write({{&api_.logs->installation(), {}}, {&api_.log(), {}}}));
  EXPECT_EQ(api_.log().size(), mine) << "said once";
}

TEST_F(IssuerKeys, TheFileHasOneSpelling) {
  const IssuersTold told{{"log/a", "login"}, {"log/a", "other"}, {"log/b", "login"}};
  const std::string text = issuers_told_text(told);
  EXPECT_EQ(parse_issuers_told(text), told);
  EXPECT_EQ(parse_issuers_told("paravent-oidc-told-v1\nend\n"), IssuersTold());
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(parse_issuers_told(text.substr(0, i))) << i;
  }
  for (const char* bad :
       {"", "paravent-oidc-told-v1\nend", "paravent-oidc-told-v1\ntold a\nend\n",
        "paravent-oidc-told-v1\ntold a b c\nend\n", "paravent-oidc-told-v1\ntold  b\nend\n",
        "paravent-oidc-told-v1\ntold b a\ntold a a\nend\n",
        "paravent-oidc-told-v1\ntold a a\ntold a a\nend\n"}) {
    EXPECT_FALSE(parse_issuers_told(bad)) << bad;
  }
  const auto file = api_.folder.path() / "oidc-told";
  std::ofstream(file) << "altered";
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const auto status = record_.remember_in(file);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), crypto::ErrorKind::data);
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
class IssuerDossier : public IssuerKeys {
 protected:
  void use(KeyNames keys) {
    record_.use("login", std::move(keys));
    ASSERT_TRUE(record_.write(places_));
    api_.clock.move(std::chrono::hours(48));
  }
  boost::json::object dossier(const std::string& who, const std::string& more = "") {
    const auto answer =
        api_.post("dpo", "/v1/dossier", R"({"reason":"r","operator":")" + who + "\"" + more + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body).as_object();
  }
  // "object | remark" of its issuer_keys.
  std::vector<std::string> keys(const std::string& more) {
    std::vector<std::string> all;
    const auto parsed = dossier("oidc:login/crm-1", more);
    EXPECT_TRUE(parsed.at("entries").as_array().empty());
    EXPECT_TRUE(parsed.at("events").as_object().empty()) << "they are not the subject's doing";
    EXPECT_EQ(parsed.at("issuer_keys_unreadable"), 0);
    for (const auto& one : parsed.at("issuer_keys").as_array()) {
      all.push_back(std::string(one.at("object").as_string()) + " | " +
                    std::string(one.at("remark").as_string()));
      EXPECT_FALSE(one.at("proof").as_array().empty());
    }
    return all;
  }
  std::string today() { return admin::utc_text(api_.clock.now()).substr(0, 10); }
};

TEST_F(IssuerDossier, HoldsTheKeys) {
  use({{"a", "EdDSA", "ta"}});
  EXPECT_EQ(keys("").size(), 2U);
  EXPECT_EQ(dossier("oidc:log/crm-1").at("issuer_keys").as_array().size(), 0U);
  EXPECT_FALSE(dossier("somebody").contains("issuer_keys"));
  const auto page = api_.post("dpo", "/v1/dossier",
                              R"({"reason":"r","operator":"oidc:login/crm-1","format":"html"})");
  EXPECT_NE(page.body.find("oidc:login key a"), std::string::npos);
}

// What was trusted when the period began was written down long before it.
TEST_F(IssuerDossier, HoldsTheKeysOfItsPeriod) {
  use({{"a", "EdDSA", "ta"}, {"b", "RS256", "tb"}});
  use({{"a", "EdDSA", "ta"}, {"b", "RS256", "tb2"}, {"c", "ES256", "tc"}});
  const std::string from = today();
  const std::string more = R"(,"from":")" + from + "\"";
  const std::vector<std::string> in_force{"oidc:login key a | trusted EdDSA thumbprint ta",
                                          "oidc:login key b | trusted RS256 thumbprint tb2",
                                          "oidc:login key c | trusted ES256 thumbprint tc"};
  EXPECT_EQ(keys(more), in_force);
  use({{"b", "RS256", "tb2"}, {"c", "ES256", "tc"}, {"d", "ES256", "td"}});
  auto all = in_force;
  all.emplace_back("oidc:login key d | trusted ES256 thumbprint td");
  all.emplace_back("oidc:login key a | withdrawn EdDSA thumbprint ta");
  EXPECT_EQ(keys(more), all);
  EXPECT_EQ(keys(more + R"(,"to":")" + from + "\""), all) << "that was today";
  // A start says the whole set anew, and whatever it does not name is over.
  record_ = IssuerRecord();
  use({{"d", "ES256", "td"}});
  EXPECT_EQ(keys(R"(,"from":")" + today() + "\""),
            std::vector<std::string>{"oidc:login key d | trusted ES256 thumbprint td"});
  EXPECT_TRUE(keys(R"(,"to":"2001-01-01")").empty());
}

// What cannot be read any more is counted until the whole set was said again.
TEST(IssuerKeysOfAPeriod, SayWhatIsMissing) {
  admin::DossierQuestion question;
  question.operator_name = "oidc:login/crm-1";
  question.from = crypto::WallTime(std::chrono::hours(100));
  admin::IssuerKeys keys(question);
  crypto::audit::AuditRecord record;
  record.open.event = crypto::audit::EventKind::operator_change;
  record.open.time = crypto::WallTime(std::chrono::hours(1));
  EXPECT_FALSE(keys.take(record));
  EXPECT_EQ(keys.unreadable(), 1U);
  auto whole = record;
  whole.detail.emplace().object = "oidc:login keys";
  EXPECT_TRUE(keys.take(whole));
  EXPECT_EQ(keys.unreadable(), 0U);
  record.open.time = crypto::WallTime(std::chrono::hours(100));
  EXPECT_FALSE(keys.take(record));
  EXPECT_EQ(keys.unreadable(), 1U);
  EXPECT_TRUE(keys.entries().empty());
}

TEST(IssuerPeople, WhoIsNoOperatorIsWarnedOf) {
  const admin::Api api;
  auto set =
      policies_of({{"atelier",
                    "oidc:\n"
                    "  - { issuer: login, subject: a, role: dpo, person: dpo }\n"
                    "  - { issuer: login, subject: b, role: dpo, person: dpp }\n"
                    "  - { issuer: login, subject: c, role: dpo, person: stranger }\n"
                    "  - { issuer: login, subject: d, role: dpo, person: x, operator: false }\n"
                    "  - { issuer: login, subject: e, role: dpo }\n"}});
  const std::string text = admin::admin_test_policy();
  set.sources.push_back({"crm.yaml", text});
  const auto line = std::count(text.begin(), text.end(), '\n') + 3;
  const std::string warnings = warnings_of_unknown_people(set, *api.operators, *api.vault);
  EXPECT_EQ(warnings.find("crm.yaml:" + std::to_string(line) + ":"), 0U) << warnings;
  EXPECT_NE(warnings.find("warning: oidc[1].person: the tenant has no operator dpp"),
            std::string::npos);
  EXPECT_NE(warnings.find("warning: oidc[2].person: "), std::string::npos);
  EXPECT_EQ(std::count(warnings.begin(), warnings.end(), '\n'), 2);
  const auto revoked = api.operators->change("dpo", [&](admin::OperatorRecord& one) {
    one.revoked = api.clock.now();
    return crypto::Status();
  });
  ASSERT_TRUE(revoked);
  EXPECT_NE(warnings_of_unknown_people(set, *api.operators, *api.vault).find("oidc[0].person"),
            std::string::npos);
}

}  // namespace
}  // namespace paravent::proxy::main
