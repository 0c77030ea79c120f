// What the API answers to whom: authentication, the paths and methods, and their description.

#include "proxy/admin/admin_api.h"

#include <gtest/gtest.h>

#include "crypto/audit/checkpoint.h"
#include "proxy/admin/credential.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

std::string reason_of(const AdminResponse& response) {
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto problem = boost::json::parse(response.body).as_object();
  EXPECT_EQ(problem.at("status").as_int64(), response.status);
  const std::string reason(problem.at("reason").as_string());
  EXPECT_EQ(problem.at("type").as_string(), "urn:paravent:problem:" + reason);
  return reason;
}

TEST(Credential, HasOneSpelling) {
  EXPECT_EQ(bearer_credential("Bearer abc"), "abc");
  EXPECT_EQ(bearer_credential("Bearer " + std::string(256, 'a')), std::string(256, 'a'));
  for (const std::string& header :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("bearer abc"),
        std::string("Bearer  abc"), std::string("Bearer abc "), std::string("Bearer a b"),
        std::string("Basic abc"), "Bearer " + std::string(257, 'a')}) {
    EXPECT_FALSE(bearer_credential(header).has_value()) << header;
  }
}

TEST(AdminApi, WhoMayReadWhat) {
  Api api;
  struct Case {
    const char* path;
    int nobody;
    int loopback;
    int dpo;
    int admin;
  };
  const Case cases[] = {{"/healthz", 401, 200, 200, 200},
                        {"/readyz", 401, 200, 200, 200},
                        {"/metrics", 401, 200, 403, 200},
                        {"/openapi.json", 200, 200, 200, 200},
                        {"/v1/audit/checkpoint", 401, 401, 200, 200},
                        {"/nowhere", 404, 404, 404, 404},
                        {"/healthz/", 404, 404, 404, 404},
                        {"", 404, 404, 404, 404},
                        {"/v1/reidentify", 405, 405, 405, 405}};
  for (const Case& one : cases) {
    EXPECT_EQ(api.get(one.path).status, one.nobody) << one.path;
    EXPECT_EQ(api.get(one.path, "", true).status, one.loopback) << one.path;
    EXPECT_EQ(api.get(one.path, api.credentials["dpo"]).status, one.dpo) << one.path;
    EXPECT_EQ(api.get(one.path, api.credentials["admin"]).status, one.admin) << one.path;
  }
  EXPECT_EQ(api.get("/metrics", "", true).body, "paravent_up 1\n");
}

// Monitoring tools ask so. What is asked of them is what a GET is asked.
TEST(AdminApi, HealthIsAskedForByHeadToo) {
  Api api;
  AdminRequest request;
  request.method = "HEAD";
  for (const char* path : {"/healthz", "/readyz"}) {
    request.path = path;
    request.from_loopback = true;
    request.authorization.clear();
    EXPECT_EQ(api.api->handle(request).status, 200) << path;
    request.from_loopback = false;
    EXPECT_EQ(api.api->handle(request).status, 401) << path;
    request.authorization = "Bearer " + api.credentials["dpo"];
    EXPECT_EQ(api.api->handle(request).status, 200) << path;
    request.method = "POST";
    EXPECT_EQ(api.api->handle(request).headers,
              (std::vector<std::pair<std::string, std::string>>{{"Allow", "GET, HEAD"}}));
    request.method = "HEAD";
  }
  api.api->begin_drain();
  EXPECT_EQ(api.api->handle(request).status, 503);
  for (const char* path : {"/metrics", "/openapi.json", "/v1/keys"}) {
    request.path = path;
    EXPECT_EQ(api.api->handle(request).status, 405) << path;
  }
}

TEST(AdminApi, RefusalsSayWhatIsMissing) {
  Api api;
  const AdminResponse credential = api.get("/readyz", "pvcred_wrong");
  EXPECT_EQ(reason_of(credential), "credential");
  ASSERT_EQ(credential.headers.size(), 1U);
  EXPECT_EQ(credential.headers[0].first, "WWW-Authenticate");
  EXPECT_EQ(credential.body.find("pvcred_wrong"), std::string::npos);
  EXPECT_EQ(api.api->refused_credentials(), 1U);
  const AdminResponse method = api.get("/v1/reidentify");
  EXPECT_EQ(reason_of(method), "method");
  EXPECT_EQ(method.headers, (std::vector<std::pair<std::string, std::string>>{{"Allow", "POST"}}));
  EXPECT_EQ(reason_of(api.get("/nowhere")), "no-route");
  EXPECT_EQ(reason_of(api.get("/metrics", api.credentials["support"])), "refused");
  EXPECT_EQ(api.api->refused_credentials(), 1U);
}

TEST(AdminApi, NotReadyWhileDraining) {
  Api api;
  EXPECT_EQ(api.get("/readyz", "", true).status, 200);
  api.api->begin_drain();
  EXPECT_EQ(api.get("/readyz", "", true).status, 503);
  EXPECT_EQ(api.get("/healthz", "", true).status, 200);
}

TEST(AdminApi, CheckpointsOfTenantAndInstallation) {
  Api api;
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::start;
  ASSERT_TRUE(api.log().append(entry).has_value());
  ASSERT_TRUE(api.logs->installation().append(entry).has_value());
  const std::string& dpo = api.credentials["dpo"];
  EXPECT_EQ(api.get("/v1/audit/checkpoint", dpo).body, api.log().checkpoint_in_files().value());
  // Whose size tells when an alarm was raised, so that it is nobody's who reveals.
  EXPECT_EQ(api.get("/v1/audit/checkpoint?log=installation", api.credentials["admin"]).body,
            api.logs->installation().checkpoint_in_files().value());
  for (const char* path :
       {"checkpoint?log=installation", "proof/inclusion?log=installation&index=0",
        "proof/consistency?log=installation&from=1"}) {
    EXPECT_EQ(api.get("/v1/audit/" + std::string(path), dpo).status, 403) << path;
  }
  EXPECT_NE(api.log().checkpoint_in_files().value(),
            api.logs->installation().checkpoint_in_files().value());
  EXPECT_EQ(api.get("/v1/audit/checkpoint?log=other", dpo).status, 400);
  EXPECT_EQ(api.get("/v1/audit/checkpoint", api.credentials["stranger"]).status, 404);
}

TEST(AdminApi, ACredentialLeavesTheFileAtItsFirstUse) {
  Api api;
  const auto json = first_credentials_json(crypto::SecretBytes::copy_of(api.credentials["dpo"]),
                                           crypto::SecretBytes::copy_of(api.credentials["admin"]));
  ASSERT_TRUE(api.first.write(json).has_value());
  const auto file = api.folder.path() / "first-credentials";
  EXPECT_EQ(api.get("/readyz", api.credentials["dpo"]).status, 200);
  const std::string left = test::whole_file(file);
  EXPECT_EQ(left.find(api.credentials["dpo"]), std::string::npos);
  EXPECT_NE(left.find(api.credentials["admin"]), std::string::npos);
  // A credential that cannot be taken out must not be used: it would stay readable.
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_EQ(api.get("/readyz", api.credentials["admin"]).status, 503);
}

AdminResponse reload(Api& api, const std::string& who, const std::string& body = "") {
  AdminRequest request;
  request.method = "POST";
  request.path = "/v1/policy/reload";
  request.body = body;
  if (!who.empty()) request.authorization = "Bearer " + api.credentials[who];
  return api.api->handle(request);
}

TEST(Policies, EachOperatorSeesThoseOfTheTenant) {
  Api api;
  EXPECT_EQ(api.get("/v1/policy").status, 401);
  const AdminResponse response = api.get("/v1/policy", api.credentials["dpo"]);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"policies":[{"tenant":"one","file":"one.yaml","sha256":"aa","text":"policy: 1"}]})"
            "\n");
}

TEST(Policies, OnlyTheRoleAdminReloads) {
  Api api;
  EXPECT_EQ(reload(api, "").status, 401);
  EXPECT_EQ(reload(api, "dpo").status, 403);
  EXPECT_EQ(reload(api, "admin", "{}").status, 400);
  EXPECT_TRUE(api.policies.authors.empty());
  const AdminResponse done = reload(api, "admin");
  EXPECT_EQ(done.status, 200);
  EXPECT_NE(done.body.find(R"("sha256":"bb")"), std::string::npos);
  EXPECT_EQ(done.body.find("policy: 2"), std::string::npos);
  // With what the admin came, for the record.
  ASSERT_EQ(api.policies.authors.size(), 1U);
  const Operator& author = api.policies.authors.front();
  EXPECT_EQ(author.name + " " + author.role, "admin admin");
  EXPECT_EQ(author.credential,
            credential_id(crypto::sha256(crypto::as_bytes(api.credentials["admin"]))));
}

TEST(Policies, ARefusedReloadSaysWhyAndWhere) {
  Api api;
  api.policies.outcome = {false, false, "The policy has errors.", {"p.yaml:1:2: error: x: y"}};
  const AdminResponse refused = reload(api, "admin");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.content_type, "application/problem+json");
  const auto problem = boost::json::parse(refused.body);
  EXPECT_EQ(problem.at("reason").as_string(), "policy");
  EXPECT_EQ(problem.at("title").as_string(), "The policy has errors.");
  EXPECT_EQ(problem.at("diagnostics").at(0).as_string(), "p.yaml:1:2: error: x: y");
  api.policies.outcome = {false, true, "It cannot be put on record.", {}};
  EXPECT_EQ(reload(api, "admin").status, 503);
}

TEST(Certificates, NameTheOperatorWhereNoCredentialIsSent) {
  Api api;
  AdminRequest request;
  request.method = "GET";
  request.path = "/v1/audit/checkpoint";
  request.certificate_name = "dpo";
  EXPECT_EQ(api.api->handle(request).status, 200);
  request.certificate_name = "DPO";
  EXPECT_EQ(api.api->handle(request).status, 401);
  request.certificate_name = "dpo";
  request.authorization = "Bearer pvcred_wrong";
  EXPECT_EQ(api.api->handle(request).status, 401);
}

TEST(OpenApi, ListsExactlyWhatIsServed) {
  Api api;
  const AdminResponse response = api.get("/openapi.json");
  const auto document = boost::json::parse(response.body);
  const auto& paths = document.at("paths").as_object();
  // Every path of the contract, present and future, but for those that are answered in front of the
  // API (seal_gate.h).
  for (const char* path : {"/v1/reidentify",
                           "/v1/protect",
                           "/v1/subjects/locate",
                           "/v1/keys",
                           "/v1/rewrap",
                           "/v1/tenants",
                           "/v1/grants",
                           "/v1/operators",
                           "/v1/login",
                           "/v1/enrol",
                           "/v1/logout",
                           "/v1/whoami",
                           "/v1/audit/entries",
                           "/v1/audit/checkpoint",
                           "/v1/audit/proof/inclusion",
                           "/v1/policy/reload",
                           "/v1/store",
                           "/v1/backup",
                           "/v1/policy",
                           "/healthz",
                           "/readyz",
                           "/metrics",
                           "/openapi.json",
                           "/",
                           "/v1"}) {
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
      AdminRequest request;
      request.method = method;
      request.path = path;
      const std::uint16_t status = api.api->handle(request).status;
      std::string lower = method;
      for (char& c : lower) c = static_cast<char>(c + 32);
      const auto* described = paths.if_contains(path);
      const bool listed = described != nullptr && described->as_object().contains(lower);
      EXPECT_EQ(status != 404 && status != 405, listed) << method << " " << path;
      if (described == nullptr) {
        EXPECT_EQ(status, 404) << path;
      }
    }
  }
  EXPECT_EQ(paths.size(), 62U);
}

}  // namespace
}  // namespace paravent::proxy::admin
