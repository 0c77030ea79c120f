// Four eyes and who somebody is: one person with an operator here and accounts at issuers asks by
// one and approves by another.

#include "proxy/admin/grants/two_people.h"

#include <gtest/gtest.h>

#include "policies/model/load_policy.h"
#include "proxy/admin/grants/policy_consent.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/proxy/admin/oidc_testing.h"

namespace paravent::proxy::admin {
namespace {

OidcIssuer issuer_named(const std::string& name) {
  OidcIssuer one;
  one.name = name;
  one.terms.issuer = "https://" + name + ".example";
  one.terms.audience = "paravent";
  one.terms.algorithms = {crypto::SignatureAlgorithm::ed25519};
  one.terms.leeway = std::chrono::seconds(30);
  return one;
}

std::string policy_with(const std::string& entries) {
  return admin_test_policy() + "oidc:\n" + entries +
         "four-eyes: { approve: [dpo, support], purposes: [billing] }\n";
}

// The subject "boss" of the issuer "login", with this behind its role.
std::string boss(const std::string& more) {
  return "  - { issuer: login, subject: boss, role: dpo" + more + " }\n";
}
std::string clerk(const std::string& more) {
  return "  - { issuer: other, subject: clerk, role: support" + more + " }\n";
}

constexpr const char* kSame = "Whoever asks never approves, by another way neither.";
constexpr const char* kUnknown =
    "Of one of the two nobody knows which person it is: the policy does not say (oidc: person), or "
    "names nobody who is an operator.";

// Operators here are dpo, support, auditor and admin; "stranger" is one of no tenant.
class People {
 public:
  explicit People(const std::string& entries) : api(policy_with(entries)) {
    for (std::size_t i = 0; i < 2; ++i) {
      desk_.use_keys(i, std::make_shared<const KeySet>(*KeySet::parse(key_set(key_.jwk("k")))));
    }
    api.oidc = &desk_;
    api.restart();
    token_ = api.token_of("form.mail", "anne@example.fr");
  }

  // Of a local operator, or of a subject: "login/boss".
  std::string credential(const std::string& who) {
    const std::size_t slash = who.find('/');
    if (slash == std::string::npos) return api.credentials.at(who);
    const auto now = api.clock.now().time_since_epoch();
    JsonText claims = claims_of(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    claims["iss"] = "\"https://" + who.substr(0, slash) + ".example\"";
    claims["sub"] = "\"" + who.substr(slash + 1) + "\"";
    return signed_jwt(key_, header_of(key_, "k"), claims);
  }
  // The id of the grant.
  std::string ask(const std::string& who) {
    const AdminResponse opened = api.post_with(
        "/v1/grants", credential(who),
        R"({"purpose":"contact","basis":"contract","reason":"r","hours":1,"tokens":[")" + token_ +
            "\"]}");
    EXPECT_EQ(opened.status, 201) << opened.body;
    return std::string(boost::json::parse(opened.body).at("id").as_string());
  }
  // "approved", or why not; either is on the record.
  std::string approve(const std::string& id, const std::string& who) {
    const std::uint64_t before = api.log().size();
    const AdminResponse answer =
        api.post_with("/v1/grants/" + id + "/approve", credential(who), R"({"reason":"r"})");
    const auto made = api.entries(before);
    EXPECT_EQ(made.size(), 1U);
    EXPECT_EQ(made.front().open.outcome == crypto::audit::Outcome::done, answer.status == 200);
    return answer.status == 200
               ? "approved"
               : std::string(boost::json::parse(answer.body).at("title").as_string());
  }
  std::uint16_t use(const std::string& id, const std::string& who) {
    const std::string body = R"({"purpose":"contact","reason":"r","grant":")" + id +
                             R"(","tokens":[")" + token_ + "\"]}";
    return api.post_with("/v1/reidentify", credential(who), body).status;
  }
  void revoke(const std::string& name) {
    const auto status = api.operators->change(name, [&](OperatorRecord& one) {
      one.revoked = api.clock.now();
      return crypto::Status();
    });
    EXPECT_TRUE(status);
  }

  Api api;

 private:
  SigningKey key_ = SigningKey::ed25519();
  crypto::SteadyClock steady_;
  OidcDesk desk_{{issuer_named("login"), issuer_named("other")}, steady_};
  std::string token_;
};

std::string approval(const std::string& entries, const std::string& asker,
                     const std::string& approver) {
  People people(entries);
  return people.approve(people.ask(asker), approver);
}

TEST(TwoPeople, OfOnePersonAreNotTwoPeople) {
  EXPECT_EQ(approval(boss(", person: dpo"), "dpo", "login/boss"), kSame);
  EXPECT_EQ(approval(boss(", person: dpo"), "login/boss", "dpo"), kSame);
  EXPECT_EQ(approval(boss(", person: dpo, operator: false"), "dpo", "login/boss"), kSame)
      << "whoever is called as an operator is that one";
}

TEST(TwoPeople, OfTwoPeopleAreTwo) {
  EXPECT_EQ(approval(boss(", person: auditor"), "dpo", "login/boss"), "approved");
  EXPECT_EQ(approval(boss(", person: auditor"), "login/boss", "dpo"), "approved");
  EXPECT_EQ(approval(boss(", person: dpo"), "support", "login/boss"), "approved");
  EXPECT_EQ(approval(boss(", person: dpo"), "support", "dpo"), "approved")
      << "two operators of our own";
  EXPECT_EQ(approval(boss(", person: anne, operator: false"), "dpo", "login/boss"), "approved");
}

TEST(TwoPeople, OfWhomNobodyKnowsWhoTheyAreDoNotCount) {
  for (const char* person : {"", ", person: dpp", ", person: stranger"}) {
    EXPECT_EQ(approval(boss(person), "dpo", "login/boss"), kUnknown) << person;
    EXPECT_EQ(approval(boss(person), "login/boss", "dpo"), kUnknown) << person;
  }
}

TEST(TwoPeople, ARevokedOperatorIsNobodysAnyMore) {
  People people(boss(", person: auditor"));
  const std::string id = people.ask("dpo");
  people.revoke("auditor");
  EXPECT_EQ(people.approve(id, "login/boss"), kUnknown);
}

TEST(TwoPeople, OfTwoIssuers) {
  for (const char* same : {", person: dpo", ", person: anne, operator: false"}) {
    EXPECT_EQ(approval(boss(same) + clerk(same), "other/clerk", "login/boss"), kSame);
    EXPECT_EQ(approval(boss(same) + clerk(same), "login/boss", "other/clerk"), kSame);
  }
  EXPECT_EQ(
      approval(boss(", person: dpo") + clerk(", person: support"), "other/clerk", "login/boss"),
      "approved");
  EXPECT_EQ(approval(boss(", person: dpo") + clerk(""), "other/clerk", "login/boss"), kUnknown);
  // Both misspelt alike, or one of them: nobody knows.
  EXPECT_EQ(approval(boss(", person: dpp") + clerk(", person: dpp"), "other/clerk", "login/boss"),
            kUnknown);
}

TEST(TwoPeople, AnEntryThatVanishedWhileItWaited) {
  const std::string both = boss(", person: dpo") + clerk(", person: support");
  People people(both);
  const std::string id = people.ask("other/clerk");
  people.api.use_policy(policy_with(boss(", person: dpo")));
  EXPECT_EQ(people.approve(id, "login/boss"), kUnknown);
  EXPECT_EQ(people.approve(id, "dpo"), kUnknown);
  people.api.use_policy(policy_with(both));
  EXPECT_EQ(people.approve(id, "login/boss"), "approved");
}

TEST(TwoPeople, AreAskedForAgainWhenAnApprovalIsUsed) {
  People people(boss(", person: auditor"));
  const std::string id = people.ask("dpo");
  ASSERT_EQ(people.approve(id, "login/boss"), "approved");
  people.api.use_policy(policy_with(boss(", person: dpo")));
  EXPECT_EQ(people.use(id, "dpo"), 403) << "one person, as is known since";
  people.api.use_policy(policy_with(clerk(", person: support")));
  EXPECT_EQ(people.use(id, "dpo"), 403) << "the approver's entry is gone";
  people.api.use_policy(policy_with(boss(", person: auditor")));
  EXPECT_EQ(people.use(id, "dpo"), 200);
  const std::string second = people.ask("dpo");
  ASSERT_EQ(people.approve(second, "login/boss"), "approved");
  people.revoke("auditor");
  EXPECT_EQ(people.use(second, "dpo"), 403) << "whom the entry names is no operator any more";
}

TEST(TwoPeople, AreAskedForAgainWhenOperatorsChange) {
  People people(boss(", person: auditor"));
  const std::string body = R"({"name":"desk","role":"support","type":"person","reason":"r")";
  const AdminResponse opened = people.api.post("admin", "/v1/operators", body + "}");
  ASSERT_EQ(opened.status, 202) << opened.body;
  const std::string id(boost::json::parse(opened.body).at("grant").at("id").as_string());
  ASSERT_EQ(people.approve(id, "login/boss"), "approved");
  const auto again = [&] {
    return people.api.post("admin", "/v1/operators", body + R"(,"grant":")" + id + "\"}").status;
  };
  people.api.use_policy(policy_with(boss(", person: admin")));
  EXPECT_EQ(again(), 403);
  EXPECT_FALSE(people.api.operators->find("desk"));
  people.api.use_policy(policy_with(boss(", person: auditor")));
  EXPECT_EQ(again(), 200);
  EXPECT_TRUE(people.api.operators->find("desk"));
}

TEST(TwoPeople, AreAskedForAgainWhenAPolicyIsLoaded) {
  const auto policy_of = [](const std::string& text) {
    auto loaded = policies::load_policy_text("p.yaml", text);
    EXPECT_TRUE(loaded.ok()) << policies::diagnostics_text(loaded.diagnostics);
    return std::move(loaded.policy);
  };
  const std::string text = policy_with(boss(", person: auditor"));
  const policies::Policy before = policy_of(text);
  const policies::Policy same = policy_of(policy_with(boss(", person: admin")));
  const policies::Policy wider = policy_of(policy_with(boss(", person: auditor") + clerk("")));
  People people(boss(", person: auditor"));
  const crypto::vault::Id tenant = people.api.tenant;
  PolicyConsent consent(people.api.folder.path(), *people.api.operators, *people.api.logs);
  ASSERT_TRUE(consent.keep({{tenant, &before, {}}}));
  const auto load = [&](const policies::Policy& in_force) {
    const policies::TenantPolicy tenants[] = {{tenant, &in_force}};
    const policies::AccessRules rules(tenants);
    const Operator admin{"admin", tenant, "admin", {}, {}};
    return consent.check({{tenant, &wider, std::string(64, 'a')}}, admin, &rules).has_value();
  };
  EXPECT_FALSE(load(before)) << "asked for";
  const auto listed =
      boost::json::parse(people.api.get("/v1/grants", people.api.credentials["dpo"]).body);
  const std::string id(listed.at("grants").as_array().at(0).at("id").as_string());
  ASSERT_EQ(people.approve(id, "login/boss"), "approved");
  EXPECT_FALSE(load(same)) << "whoever approved is who asked, as is known since";
  EXPECT_TRUE(load(before));
  EXPECT_FALSE(load(before)) << "used up";
}

}  // namespace
}  // namespace paravent::proxy::admin
