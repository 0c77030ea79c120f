// POST /v1/protect: a right of its own, counted, on the record. What protects is tested with the
// data path's own code (tests/proxy/main/gateway/protector_desk_test.cc).

#include <gtest/gtest.h>

#include "proxy/admin/protect_desk.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

class FakeDesk final : public ProtectDesk {
 public:
  std::optional<std::string> purpose_of(const crypto::vault::Id& tenant,
                                        std::string_view route) const override {
    return tenant == mine && route == "form" ? std::optional<std::string>("contact") : std::nullopt;
  }
  crypto::Result<std::vector<ProtectedField>> protect(const crypto::vault::Id&, std::string_view,
                                                      Values values) override {
    ++calls;
    if (fault) return *fault;
    std::vector<ProtectedField> made;
    for (const auto& [field, value] : values) {
      made.push_back({field, "tokenise", "surrogate of " + std::to_string(value.size())});
    }
    return made;
  }

  crypto::vault::Id mine{};
  std::optional<Error> fault;
  int calls = 0;
};

std::string policy_with(const std::string& terms) {
  std::string text = admin_test_policy();
  const std::string role = "support: { reveal: masked";
  return text.replace(text.find(role), role.size(), role + ", " + terms);
}

class Protect {
 public:
  explicit Protect(const std::string& terms) : api(policy_with(terms)) {
    desk.mine = api.tenant;
    api.protect = &desk;
    api.restart();
  }
  AdminResponse ask(const std::string& who, const std::string& route = "form", int count = 1) {
    std::string values;
    for (int i = 0; i < count; ++i) {
      values += (i > 0 ? "," : "") + std::string("\"form.f") + std::to_string(i) + "\":\"secret\"";
    }
    return api.post_with("/v1/protect", api.credentials.at(who),
                         R"({"route":")" + route + R"(","values":{)" + values + "}}");
  }
  Api api;
  FakeDesk desk;
};

TEST(Protect, IsARightOfItsOwn) {
  Protect test("protect: true");
  const AdminResponse done = test.ask("support");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body,
            R"({"results":[{"field":"form.f0","action":"tokenise","value":"surrogate of 6"}]})"
            "\n");
  const auto entry = test.api.entries(test.api.log().size() - 1).at(0);
  EXPECT_EQ(entry.open.event, crypto::audit::EventKind::protect);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "form 1 values");
  EXPECT_EQ(entry.detail->tokens.size(), 1U);
  for (const char* who : {"dpo", "auditor", "admin"}) {
    EXPECT_EQ(test.ask(who).status, 403) << who;
  }
  EXPECT_EQ(test.desk.calls, 1);
  EXPECT_EQ(test.ask("support", "other").status, 404);
  EXPECT_EQ(test.api.post_with("/v1/protect", "", "{}").status, 401);
}

TEST(Protect, IsCountedAlsoWhereThePolicySaysNothing) {
  Protect test("protect: true");
  EXPECT_EQ(test.ask("support", "form", 60).status, 200);
  const AdminResponse over = test.ask("support", "form", 41);
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(test.ask("support").status, 429) << "cooling off";
  EXPECT_EQ(test.api.api->budgets().alarms().at({"support", "values-per-hour"}), 1U);
  test.api.restart();
  EXPECT_EQ(test.ask("support").status, 429);
  // It does not keep anybody from revealing.
  const std::string mail = test.api.token_of("form.mail", "jane@example.org");
  EXPECT_EQ(test.api.reidentify("support", "contact", {mail}).status, 200);
  test.api.clock.move(std::chrono::hours(2));
  EXPECT_EQ(test.ask("support").status, 200);
}

TEST(Protect, TheBudgetIsThePolicys) {
  Protect test("protect: true, protect-budget: { values-per-day: 2 }");
  EXPECT_EQ(test.ask("support", "form", 2).status, 200);
  EXPECT_EQ(test.ask("support").status, 429);
}

TEST(Protect, WhatTheRouteWouldRefuseIsRefusedWithItsReason) {
  Protect test("protect: true");
  test.desk.fault = Error(ErrorKind::refused, "unlisted-field form.x");
  const AdminResponse refused = test.ask("support");
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("unlisted-field form.x"), std::string::npos);
  EXPECT_EQ(refused.body.find("secret"), std::string::npos);
  test.desk.fault = Error(ErrorKind::sealed);
  EXPECT_EQ(test.ask("support").status, 503);
  test.desk.fault = Error(ErrorKind::unreachable);
  EXPECT_EQ(test.ask("support").status, 503);
  for (const char* body : {"", "{}", R"({"route":"form"})", R"({"route":"form","values":{}})",
                           R"({"route":"form","values":["a"]})", R"({"route":1,"values":{}})"}) {
    EXPECT_EQ(test.api.post_with("/v1/protect", test.api.credentials["support"], body).status, 400)
        << body;
  }
}

// That somebody has objected, or which field is missing, is an answer: on record, and counted, also
// by whoever reads the record afterwards.
TEST(Protect, WhatTheRouteRefusesIsOnRecordAndCounts) {
  Protect test("protect: true, protect-budget: { values-per-hour: 5 }");
  test.desk.fault = Error(ErrorKind::refused, "unlisted-field form.anne@example.fr");
  const std::uint64_t before = test.api.log().size();
  EXPECT_EQ(test.ask("support", "form", 3).status, 422);
  ASSERT_EQ(test.api.log().size(), before + 1);
  const auto entry = test.api.entries(before).at(0);
  EXPECT_EQ(entry.open.event, crypto::audit::EventKind::protect);
  EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::failed);
  EXPECT_EQ(entry.detail->operator_name, "support");
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "form 3 values: unlisted-field");
  EXPECT_EQ(entry.detail->tokens.size(), 3U);
  for (const Error& fault : {Error(ErrorKind::sealed), Error(ErrorKind::unreachable)}) {
    test.desk.fault = fault;
    EXPECT_EQ(test.ask("support").status, 503);
  }
  EXPECT_EQ(test.api.entries(before + 1).at(0).detail->remark, "1 values: sealed");
  EXPECT_EQ(test.api.entries(before + 2).at(0).detail->remark, "1 values: store-unavailable");
  test.desk.fault.reset();
  test.api.restart();  // the counts are what the record says
  EXPECT_EQ(test.ask("support").status, 429);
}

TEST(Protect, WithoutARecordNothingIsGiven) {
  Protect test("protect: true");
  std::filesystem::remove_all(test.api.folder.path() / "audit");
  const AdminResponse response = test.ask("support");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body.find("surrogate"), std::string::npos);
  test.desk.fault = Error(ErrorKind::refused, "objected");
  EXPECT_EQ(test.ask("support").status, 503) << "who has objected is an answer too";
}

}  // namespace
}  // namespace paravent::proxy::admin
