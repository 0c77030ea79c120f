// /v1/operators: people and programs, credentials with an end and a scope, revocation at once.

#include <gtest/gtest.h>

#include <fstream>

#include "proxy/admin/grants/cases.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;
using std::chrono::hours;

class OperatorsPaths : public testing::Test {
 protected:
  json::object call(const std::string& path, const std::string& body, int status,
                    const std::string& who = "admin") {
    const AdminResponse response = api.post_with(path, api.credentials.at(who), body);
    EXPECT_EQ(response.status, status) << path << " " << response.body;
    return json::parse(response.body).as_object();
  }
  std::string text(const json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? "-" : std::string(value->as_string());
  }
  // A program's credential.
  std::string program(const std::string& name, const std::string& more = "") {
    return text(call("/v1/operators",
                     R"({"name":")" + name + R"(","role":"support","type":"program",)" + more +
                         R"("reason":"a test"})",
                     200),
                "credential");
  }
  int asks(const std::string& credential, const std::string& purpose = "contact") {
    return api
        .post_with("/v1/reidentify", credential,
                   R"({"purpose":")" + purpose + R"(","reason":"r","tokens":["pvv1"]})")
        .status;
  }

  Api api;
};

TEST_F(OperatorsPaths, AProgramWorksUntilItIsRevoked) {
  const std::string credential = program("crm-sync");
  EXPECT_TRUE(credential.starts_with("pvcred_"));
  EXPECT_EQ(asks(credential), 200);
  const auto records = api.entries(0);
  const auto& added = *records.at(0).detail;
  EXPECT_EQ(added.operator_name + " " + added.object + ": " + added.remark + ", " + added.reason,
            "admin crm-sync: add program with the role support, a test");
  EXPECT_EQ(records.at(0).open.event, crypto::audit::EventKind::operator_change);
  const auto listed = json::parse(api.get("/v1/operators", api.credentials["admin"]).body);
  EXPECT_EQ(listed.at("operators").as_array().back().at("name").as_string(), "crm-sync");
  EXPECT_EQ(json::serialize(listed).find(credential), std::string::npos);

  const auto gone = call("/v1/operators/crm-sync/revoke", R"({"reason":"left"})", 200);
  EXPECT_EQ(gone.at("operator").at("state").as_string(), "revoked");
  EXPECT_EQ(asks(credential), 401);
  // The name stays taken: on the record it means one operator only.
  call("/v1/operators", R"({"name":"crm-sync","role":"support","type":"program","reason":"again"})",
       409);
  call("/v1/operators/crm-sync/credentials", R"({"reason":"again"})", 409);
  call("/v1/operators/crm-sync/invite", R"({"reason":"again"})", 409);
}

TEST_F(OperatorsPaths, SeveralCredentialsEachWithItsOwnEnd) {
  const std::string first = program("crm-sync");
  const auto second =
      call("/v1/operators/crm-sync/credentials", R"({"expires":"P30D","reason":"rotation"})", 200);
  EXPECT_EQ(asks(text(second, "credential")), 200);
  api.clock.move(hours(24 * 31));
  EXPECT_EQ(asks(text(second, "credential")), 401);
  EXPECT_EQ(asks(first), 200);
  // A clock that is set back revives nothing.
  api.clock.move(-hours(24 * 31));
  EXPECT_EQ(asks(text(second, "credential")), 401);
  const auto third = call("/v1/operators/crm-sync/credentials", R"({"reason":"r"})", 200);
  call("/v1/operators/crm-sync/credentials/" + text(third, "id") + "/revoke",
       R"({"reason":"lost"})", 200);
  EXPECT_EQ(asks(text(third, "credential")), 401);
  EXPECT_EQ(asks(first), 200);
  call("/v1/operators/crm-sync/credentials/000000000000/revoke", R"({"reason":"r"})", 404);
}

TEST_F(OperatorsPaths, AScopeNarrowsAndNeverWidens) {
  const std::string narrow = program("narrow", R"("purposes":["contact"],"paths":["reidentify"],)");
  EXPECT_EQ(asks(narrow), 200);
  EXPECT_EQ(api.get("/v1/audit/checkpoint", narrow).status, 403);
  EXPECT_EQ(api.get("/v1/operators", narrow).status, 403);
  const std::string other = program("other", R"("purposes":["billing"],)");
  EXPECT_EQ(asks(other), 403);             // not for this purpose
  EXPECT_EQ(asks(other, "billing"), 403);  // the role is not for that one
  EXPECT_EQ(
      api.post_with("/v1/subjects/locate", other, R"({"reason":"r","tokens":["pvv1"]})").status,
      403);
}

TEST_F(OperatorsPaths, WhatMakesNoSenseIsRefused) {
  for (const auto& [body, status] : std::vector<std::pair<std::string, int>>{
           {R"({"name":"x","role":"support","type":"program"})", 400},
           {R"({"name":"x","role":"support","type":"robot","reason":"r"})", 400},
           {R"({"name":"X","role":"support","type":"program","reason":"r"})", 400},
           {R"({"name":"x","role":"nobody","type":"program","reason":"r"})", 422},
           {R"({"name":"x","role":"support","type":"program","tenant":"mars","reason":"r"})", 422},
           {R"({"name":"x","role":"support","type":"program","expires":"soon","reason":"r"})", 400},
           {R"({"name":"x","role":"support","type":"program","paths":["all"],"reason":"r"})", 400},
           {R"({"name":"x","role":"support","type":"program","purposes":["a b"],"reason":"r"})",
            400},
           {R"({"name":"x","role":"support","type":"program","purposes":["contct"],"reason":"r"})",
            422},
           {R"({"name":"x","role":"support","type":"person","expires":"P1Y","reason":"r"})", 400},
           {R"({"name":"dpo","role":"support","type":"program","reason":"r"})", 409},
           {R"({"name":"x","unknown":"y","reason":"r"})", 400}}) {
    EXPECT_EQ(api.post_with("/v1/operators", api.credentials["admin"], body).status, status)
        << body;
  }
  const std::string good = R"({"name":"x","role":"support","type":"program","reason":"r"})";
  EXPECT_EQ(api.post_with("/v1/operators", api.credentials["dpo"], good).status, 403);
  EXPECT_EQ(api.post_with("/v1/operators", "", good).status, 401);
  for (const char* path : {"/v1/operators/nobody/revoke", "/v1/operators/nobody/credentials",
                           "/v1/operators/nobody/invite", "/v1/operators/nobody/unlock",
                           "/v1/operators/dpo/frobnicate"}) {
    EXPECT_EQ(api.post_with(path, api.credentials["admin"], R"({"reason":"r"})").status, 404)
        << path;
  }
}

TEST_F(OperatorsPaths, TheLastAdminStays) {
  call("/v1/operators/admin/revoke", R"({"reason":"tidy"})", 409);
  EXPECT_EQ(api.get("/v1/operators", api.credentials["admin"]).status, 200);
  const auto second = call(
      "/v1/operators", R"({"name":"admin-2","role":"admin","type":"program","reason":"r"})", 200);
  call("/v1/operators/admin/revoke", R"({"reason":"tidy"})", 200);
  EXPECT_EQ(api.get("/v1/operators", api.credentials["admin"]).status, 401);
  EXPECT_EQ(api.get("/v1/operators", text(second, "credential")).status, 200);
}

TEST_F(OperatorsPaths, WithoutARecordNothingChanges) {
  std::filesystem::remove_all(api.folder.path() / "audit");
  call("/v1/operators", R"({"name":"x","role":"support","type":"program","reason":"r"})", 503);
  EXPECT_FALSE(api.operators->find("x").has_value());
}

TEST_F(OperatorsPaths, WrongCredentialsAreThrottledAndRightOnesAreNot) {
  for (std::uint32_t i = 0; i < WrongCredentials::kMostPerMinute; ++i) {
    ASSERT_EQ(asks("pvcred_wrong"), 401);
  }
  EXPECT_EQ(asks("pvcred_wrong"), 429);
  EXPECT_EQ(asks("pvcred_wrong"), 429);
  EXPECT_EQ(asks(api.credentials["dpo"]), 200);
  const auto& log = api.logs->installation();
  const auto last = log.read(log.size() - 1, 1).value();
  EXPECT_EQ(last.at(0).open.event, crypto::audit::EventKind::authentication);
  EXPECT_EQ(last.at(0).detail->remark, "wrong credentials are throttled");
  api.clock.move(std::chrono::minutes(2));
  EXPECT_EQ(asks("pvcred_wrong"), 401);
}

TEST_F(OperatorsPaths, CertificatesEndWithTheirOperatorToo) {
  AdminRequest request;
  request.method = "GET";
  request.path = "/v1/audit/checkpoint";
  request.certificate_name = "dpo";
  EXPECT_EQ(api.api->handle(request).status, 200);
  call("/v1/operators/dpo/revoke", R"({"reason":"left"})", 200);
  EXPECT_EQ(api.api->handle(request).status, 401);
}

TEST(OperatorsStore, EverythingSurvivesARestart) {
  const TempFolder folder;
  std::string credential;
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    credential = std::string(
        crypto::as_text(operators->add("dpo", "dpo", crypto::vault::random_id()).value().bytes()));
    ASSERT_TRUE(operators
                    ->change("dpo",
                             [](OperatorRecord& one) -> crypto::Status {
                               one.attempts = {9, crypto::SystemClock().now() + hours(3), 77};
                               return {};
                             })
                    .has_value());
  }
  const auto again = Operators::open(folder.path(), kInstallation).value();
  EXPECT_TRUE(again->authenticate(credential).has_value());
  EXPECT_EQ(again->find("dpo")->attempts.failures, 9U);
  EXPECT_EQ(again->find("dpo")->attempts.last_step, 77U);
  EXPECT_EQ(
      again->change("nobody", [](OperatorRecord&) -> crypto::Status { return {}; }).error().kind(),
      crypto::ErrorKind::refused);
}

TEST(CaseStore, CasesSurviveARestartAndAlteredOnesAreRefused) {
  const TempFolder folder;
  Case one;
  one.id = crypto::vault::random_id();
  one.requester = "a";
  one.requester_role = "b";
  one.entries = {{1, 1}};
  const auto file = folder.path() / ("case-" + crypto::vault::id_hex(one.id));
  {
    const auto cases = Cases::open(folder.path()).value();
    ASSERT_TRUE(cases->use().keep(one).has_value());
  }
  std::ofstream(folder.path() / "operators.tmp") << "left by a crash";
  const auto again = Cases::open(folder.path()).value();
  ASSERT_NE(again->use().find(one.id), nullptr);
  EXPECT_EQ(*again->use().find(one.id), one);
  std::ofstream(file, std::ios::app) << "more";
  EXPECT_EQ(Cases::open(folder.path()).error().kind(), crypto::ErrorKind::data);
}

// Otherwise one step of a case is the last start of a gateway.
TEST(CaseStore, WhatCouldNotBeReadAgainIsNotWritten) {
  const TempFolder folder;
  Case one;
  one.id = crypto::vault::random_id();
  one.requester = "a";
  one.requester_role = "b";
  one.entries = {{1, 1}};
  const auto cases = Cases::open(folder.path()).value();
  ASSERT_TRUE(cases->use().keep(one).has_value());
  Case next = one;
  next.state = CaseState::approved;
  next.approver = "-";  // who stands for nobody there
  next.approver_role = "c";
  EXPECT_EQ(cases->use().keep(next).error().kind(), crypto::ErrorKind::usage);
  EXPECT_EQ(*cases->use().find(one.id), one);
  next.approver = "d";
  next.change = "add program x,\nend";
  EXPECT_FALSE(cases->use().keep(next).has_value());
  const auto again = Cases::open(folder.path()).value();
  EXPECT_EQ(*again->use().find(one.id), one);
}

}  // namespace
}  // namespace paravent::proxy::admin
