// A subject of another issuer as an operator: what it may do, what is on the record of it, and how
// it is shut out.

#include "proxy/admin/oidc/oidc_entry.h"

#include <gtest/gtest.h>

#include <fstream>

#include "policies/model/load_policy.h"
#include "proxy/admin/oidc/revocations.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/proxy/admin/oidc_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

constexpr const char* kEntries = R"(oidc:
  - { issuer: login, subject: crm-1, role: support }
  - { issuer: login, subject: boss, role: dpo }
  - { issuer: login, claims: { client_id: report, groups: readers }, role: auditor }
  - { issuer: login, claims: { groups: twice }, role: dpo }
  - { issuer: login, claims: { tier: twice }, role: support }
  - { issuer: other, subject: crm-2, role: dpo }
)";

OidcIssuer issuer() {
  OidcIssuer one;
  one.name = "login";
  one.terms.issuer = "https://login.example";
  one.terms.audience = "paravent";
  one.terms.algorithms = {crypto::SignatureAlgorithm::ed25519};
  one.terms.leeway = std::chrono::seconds(30);
  return one;
}

class OidcEntry : public testing::Test {
 protected:
  OidcEntry() : api_(admin_test_policy() + kEntries) {
    auto keys = KeySet::parse(key_set(key_.jwk("k")));
    desk_.use_keys(0, std::make_shared<const KeySet>(std::move(*keys)));
    api_.oidc = &desk_;
    api_.restart();
  }

  // A good credential of this subject with these further claims.
  std::string jwt(const std::string& subject, const JsonText& more = {}) {
    const auto now = api_.clock.now().time_since_epoch();
    JsonText claims = claims_of(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    claims["sub"] = "\"" + subject + "\"";
    for (const auto& [name, value] : more) claims[name] = value;
    return signed_jwt(key_, header_of(key_, "k"), claims);
  }
  std::uint16_t status(const std::string& credential) {
    return api_.get("/v1/whoami", credential).status;
  }
  std::string asked(const std::string& token) {
    return R"({"purpose":"contact","reason":"call back","tokens":[")" + token + "\"]}";
  }

  Api api_;
  SigningKey key_ = SigningKey::ed25519();
  crypto::SteadyClock steady_;
  OidcDesk desk_{{issuer()}, steady_};
};

TEST_F(OidcEntry, HasTheRoleOfItsEntry) {
  const AdminResponse who = api_.get("/v1/whoami", jwt("crm-1"));
  EXPECT_EQ(who.status, 200);
  EXPECT_EQ(who.body, "{\"operator\":\"oidc:login/crm-1\",\"role\":\"support\"}\n");
  // By claims, a text and a list; all of an entry's must hold.
  const JsonText report = {{"client_id", "\"report\""}, {"groups", R"(["x","readers"])"}};
  EXPECT_EQ(api_.get("/v1/whoami", jwt("machine|7", report)).body,
            "{\"operator\":\"oidc:login/machine|7\",\"role\":\"auditor\"}\n");
}

TEST_F(OidcEntry, DenyIsTheDefault) {
  EXPECT_EQ(status(jwt("somebody")), 401);
  EXPECT_EQ(status(jwt("Crm-1")), 401);
  EXPECT_EQ(status(jwt("crm-2")), 401);  // another issuer's
  EXPECT_EQ(status(jwt("m", {{"client_id", "\"report\""}})), 401);
  EXPECT_EQ(status(jwt("m", {{"client_id", "\"report\""}, {"groups", "\"reader\""}})), 401);
  EXPECT_EQ(status(jwt("m", {{"client_id", "\"report\""}, {"groups", R"([["readers"]])"}})), 401);
  // Meant by two entries, whoever it is.
  EXPECT_EQ(status(jwt("m", {{"groups", "\"twice\""}})), 200);
  EXPECT_EQ(status(jwt("m", {{"groups", "\"twice\""}, {"tier", "\"twice\""}})), 401);
  EXPECT_EQ(status(jwt("crm-1", {{"groups", "\"twice\""}})), 401);
}

TEST_F(OidcEntry, IsAnsweredAsAWrongCredentialIs) {
  const AdminResponse wrong = api_.get("/v1/whoami", "pvcred_wrong");
  const SigningKey stranger = SigningKey::ed25519();
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(api_.clock.now().time_since_epoch());
  // Good in everything but the signature.
  const std::string forged = signed_jwt(stranger, header_of(stranger, "k"), claims_of(now.count()));
  JsonText header = header_of(key_, "k");
  header["alg"] = "\"none\"";
  for (const std::string& credential :
       {jwt("somebody"), forged, signed_jwt(key_, header, claims_of(now.count())),
        std::string("a.b.c"), std::string("."), jwt("crm-1") + "A"}) {
    const AdminResponse answer = api_.get("/v1/whoami", credential);
    EXPECT_EQ(answer.status, wrong.status);
    EXPECT_EQ(answer.body, wrong.body);
    EXPECT_EQ(answer.headers, wrong.headers);
  }
  EXPECT_EQ(api_.api->refused_credentials(), 7U);
  for (int i = 0; i < 1000; ++i) api_.get("/v1/whoami", forged);
  EXPECT_EQ(status(forged), 429);
  EXPECT_EQ(status(jwt("somebody")), 429);
  EXPECT_EQ(status(jwt("crm-1")), 200) << "others' wrong ones keep nobody waiting";
}

TEST_F(OidcEntry, WithoutIssuersAJwtIsAWrongCredential) {
  api_.oidc = nullptr;
  api_.restart();
  EXPECT_EQ(status(jwt("crm-1")), 401);
  EXPECT_EQ(api_.get("/v1/oidc", api_.credentials["admin"]).status, 404);
}

TEST_F(OidcEntry, RevealsAtItsLevelAndIsNamedOnTheRecord) {
  const std::string token = api_.token_of("form.mail", "anne@example.fr");
  const std::uint64_t before = api_.log().size();
  const std::string credential = jwt("crm-1");
  const AdminResponse answer = api_.post_with("/v1/reidentify", credential, asked(token));
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(Api::results(answer).front().status, "masked");
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].detail->operator_name, "oidc:login/crm-1");
  EXPECT_EQ(entries[0].detail->role, "support");
  EXPECT_EQ(entries[0].detail->credential.size(), 12U);
  // Nothing of the credential is anywhere on the disk.
  const std::string signature = credential.substr(credential.rfind('.') + 1);
  for (const auto& file : std::filesystem::recursive_directory_iterator(api_.folder.path())) {
    if (!file.is_regular_file()) continue;
    const std::string bytes = test::whole_file(file.path());
    EXPECT_EQ(bytes.find(signature), std::string::npos) << file.path();
  }
}

// Entries are of the policy's roles, and admin is none of them.
TEST_F(OidcEntry, AdministersNothing) {
  for (const char* path : {"/v1/operators", "/v1/oidc", "/v1/keys"}) {
    EXPECT_EQ(api_.get(path, jwt("boss")).status, 403) << path;
  }
  const auto loaded = policies::load_policy_text(
      "p.yaml", admin_test_policy() + "oidc: [{ issuer: login, subject: a, role: admin }]\n");
  EXPECT_FALSE(loaded.ok());
}

TEST_F(OidcEntry, IsRevokedAtOnceAndForGood) {
  const std::string credential = jwt("crm-1");
  EXPECT_EQ(status(credential), 200);
  const std::string body = R"({"issuer":"login","subject":"crm-1","reason":"Contract ended"})";
  EXPECT_EQ(api_.post("dpo", "/v1/oidc/revoke", body).status, 403);
  EXPECT_EQ(api_.post_with("/v1/oidc/revoke", credential, body).status, 403);
  EXPECT_EQ(status(credential), 200);
  const std::uint64_t before = api_.log().size();
  const AdminResponse done = api_.post("admin", "/v1/oidc/revoke", body);
  EXPECT_EQ(done.status, 200);
  EXPECT_TRUE(done.body.starts_with(R"({"operator":"oidc:login/crm-1","revoked":")")) << done.body;
  EXPECT_EQ(status(credential), 401);
  EXPECT_EQ(status(jwt("crm-1")), 401) << "its issuer may sign what it likes";
  EXPECT_EQ(status(jwt("boss")), 200);
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].open.event, crypto::audit::EventKind::operator_change);
  EXPECT_EQ(entries[0].detail->operator_name, "admin");
  EXPECT_EQ(entries[0].detail->object, "oidc:login/crm-1");
  EXPECT_EQ(entries[0].detail->reason, "Contract ended");
  // Again: the same answer. Nobody else's clock changes when that was.
  EXPECT_EQ(api_.post("admin", "/v1/oidc/revoke", body).body, done.body);

  const AdminResponse list = api_.get("/v1/oidc", api_.credentials["admin"]);
  EXPECT_EQ(list.status, 200);
  const auto parsed = boost::json::parse(list.body).as_object();
  EXPECT_EQ(parsed.at("revoked").as_array().size(), 1U);
  const auto& known = parsed.at("issuers").as_array().at(0).as_object();
  EXPECT_EQ(known.at("name"), "login");
  EXPECT_EQ(known.at("state"), "ready");
  EXPECT_EQ(known.at("keys"), 1);
}

TEST_F(OidcEntry, RevokesOnlyWhatCanBeMeant) {
  const std::pair<const char*, std::uint16_t> wrong[] = {
      {R"({"issuer":"login","subject":"crm-1"})", 400},
      {R"({"issuer":"login","subject":"crm-1","reason":" "})", 400},
      {R"({"issuer":"login","subject":"","reason":"x"})", 400},
      {R"({"issuer":"login","subject":"a b","reason":"x"})", 400},
      {R"({"issuer":"login","reason":"x"})", 400},
      {R"({"issuer":"nobody","subject":"crm-1","reason":"x"})", 404},
      {R"({"subject":"crm-1","reason":"x"})", 404},
      {R"([])", 400},
  };
  for (const auto& [body, expected] : wrong) {
    EXPECT_EQ(api_.post("admin", "/v1/oidc/revoke", body).status, expected) << body;
  }
  EXPECT_TRUE(api_.operators->oidc_revocations().list().empty());
}

// Whoever runs the issuer is every subject of it, so two of them are not two people.
TEST_F(OidcEntry, TwoOfOneIssuerAreNotTwoPeople) {
  Api api(admin_test_policy() + kEntries +
          "four-eyes: { approve: [dpo, support], purposes: [billing] }\n");
  api.oidc = &desk_;
  api.restart();
  const std::string ask =
      R"({"purpose":"contact","basis":"contract","reason":"r","hours":1,"tokens":[")" +
      api.token_of("form.mail", "anne@example.fr") + "\"]}";
  const AdminResponse opened = api.post_with("/v1/grants", jwt("boss"), ask);
  ASSERT_LT(opened.status, 300) << opened.body;
  const auto grant = boost::json::parse(opened.body).as_object();
  const std::string path = "/v1/grants/" + std::string(grant.at("id").as_string()) + "/approve";
  EXPECT_EQ(api.post_with(path, jwt("crm-1"), R"({"reason":"r"})").status, 403);
  EXPECT_EQ(api.post_with(path, jwt("boss"), R"({"reason":"r"})").status, 403);
}

TEST(OidcPolicy, SaysWhoAnApproverIs) {
  const auto says = [](const std::string& entry) {
    const auto loaded = policies::load_policy_text(
        "p.yaml", admin_test_policy() + "four-eyes: { approve: [dpo], purposes: [contact] }\n" +
                      "oidc: [" + entry + "]\n");
    std::string all;
    for (const auto& one : loaded.diagnostics.items()) {
      if (one.key.starts_with("oidc")) {
        all += std::string(policies::severity_name(one.severity)) + " " + one.key + ";";
      }
    }
    return all;
  };
  EXPECT_EQ(says("{ issuer: login, subject: a, role: dpo, person: anne }"), "");
  EXPECT_EQ(says("{ issuer: login, subject: a, role: dpo, person: anne, operator: false }"), "");
  EXPECT_EQ(says("{ issuer: login, subject: a, role: support, operator: false }"),
            "error oidc[0].operator;");
  EXPECT_EQ(says("{ issuer: login, subject: a, role: dpo }"), "warning oidc[0];");
  EXPECT_EQ(says("{ issuer: login, subject: a, role: support }"), "") << "approves nothing";
  EXPECT_EQ(says("{ issuer: login, subject: a, role: support, person: Anne }"),
            "error oidc[0].person;");
  EXPECT_EQ(says("{ issuer: login, claims: { a: b }, role: support, person: anne }"),
            "error oidc[0].person;");
}

// The same operator with another credential is the same caller; a revoked one is none.
TEST_F(OidcEntry, ACallerIsTheOperator) {
  const auto caller = [&](const std::string& credential) {
    AdminRequest request;
    request.method = "POST";
    request.path = "/v1/grants";
    request.authorization = "Bearer " + credential;
    return api_.api->caller_of(request);
  };
  const auto first = caller(jwt("crm-1"));
  ASSERT_TRUE(first);
  EXPECT_EQ(caller(jwt("crm-1", {{"jti", "\"2\""}})), first);
  EXPECT_NE(caller(jwt("boss")), first);
  EXPECT_FALSE(caller(jwt("somebody")));
  EXPECT_EQ(api_.api->refused_credentials(), 0U);
  const std::string body = R"({"issuer":"login","subject":"crm-1","reason":"r"})";
  ASSERT_EQ(api_.post("admin", "/v1/oidc/revoke", body).status, 200);
  EXPECT_FALSE(caller(jwt("crm-1")));
}

TEST(OidcRevocations, SurviveARestart) {
  const TempFolder folder;
  const crypto::WallTime now(std::chrono::milliseconds(1'800'000'000'123));
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "oidc-revoked"));
    EXPECT_EQ(operators->oidc_revocations().revoke("login/crm-1", now).value(), now);
    EXPECT_EQ(operators->oidc_revocations().revoke("login/a/b|c", now).value(), now);
  }
  const auto operators = Operators::open(folder.path(), kInstallation).value();
  EXPECT_TRUE(operators->oidc_revocations().holds("login/crm-1"));
  EXPECT_TRUE(operators->oidc_revocations().holds("login/a/b|c"));
  EXPECT_FALSE(operators->oidc_revocations().holds("login/crm-2"));
  EXPECT_EQ(
      operators->oidc_revocations().revoke("login/crm-1", now + std::chrono::hours(1)).value(),
      now);
  // Altered or truncated, nobody starts with it.
  std::ofstream(folder.path() / "oidc-revoked", std::ios::app) << "x";
  const auto altered = Operators::open(folder.path(), kInstallation);
  ASSERT_FALSE(altered);
  EXPECT_EQ(altered.error().kind(), crypto::ErrorKind::data);
}

// What cannot be kept is not claimed.
TEST(OidcRevocations, AreKeptOrAnError) {
  TempFolder folder;
  const auto made = OidcRevocations::open(folder.path()).value();
  std::filesystem::create_directory(folder.path() / "oidc-revoked");
  EXPECT_FALSE(made->revoke("login/crm-1", crypto::WallTime()));
  EXPECT_FALSE(made->holds("login/crm-1"));
  EXPECT_EQ(made->revoke("no subject", crypto::WallTime()).error().kind(),
            crypto::ErrorKind::usage);
}

TEST(OidcRevocations, HaveOneSpelling) {
  const std::string good = "paravent-oidc-revoked-v1\nrevoked login/a 12\nrevoked login/b 0\nend\n";
  const auto parsed = parse_revocations(good);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(revocations_text(*parsed), good);
  for (const char* wrong : {"", "paravent-oidc-revoked-v1\n", "paravent-oidc-revoked-v2\nend\n",
                            "paravent-oidc-revoked-v1\nend\n\n", "paravent-oidc-revoked-v1\nend",
                            "paravent-oidc-revoked-v1\nrevoked login/b 1\nrevoked login/a 1\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login/a 1\nrevoked login/a 1\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login/a 01\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login/a -1\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login/a\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login 1\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked /a 1\nend\n",
                            "paravent-oidc-revoked-v1\nrevoked login/ 1\nend\n"}) {
    EXPECT_FALSE(parse_revocations(wrong)) << wrong;
  }
}

// Of two tenants that both have an entry for a subject, it belongs to neither.
TEST(OidcRole, NobodyBelongsToTwoTenants) {
  const std::string text =
      admin_test_policy() + "oidc: [{ issuer: login, subject: crm-1, role: dpo }]\n";
  const auto first = policies::load_policy_text("a.yaml", text);
  const auto second = policies::load_policy_text("b.yaml", text);
  ASSERT_TRUE(first.ok() && second.ok());
  const auto none = [](std::string_view, std::string_view) { return false; };
  const policies::TenantPolicy one[] = {{crypto::vault::Id{1}, &first.policy}};
  const policies::TenantPolicy both[] = {{crypto::vault::Id{1}, &first.policy},
                                         {crypto::vault::Id{2}, &second.policy}};
  const auto role = policies::AccessRules(one).oidc_role("login", "crm-1", none);
  ASSERT_TRUE(role);
  EXPECT_EQ(role->tenant, crypto::vault::Id{1});
  EXPECT_EQ(role->role, "dpo");
  EXPECT_FALSE(policies::AccessRules(both).oidc_role("login", "crm-1", none));
  EXPECT_EQ(policies::AccessRules(both).tenants_of_oidc("login", "crm-1").size(), 2U);
}

}  // namespace
}  // namespace paravent::proxy::admin
