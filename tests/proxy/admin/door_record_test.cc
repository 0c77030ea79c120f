// Whoever is turned away at a door is on record: which door, whose credential, and why.

#include "proxy/admin/door_record.h"

#include <gtest/gtest.h>

#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

constexpr const char* kSomeKey = "/v1/keys/00112233445566778899aabbccddeeff/destroy";

// The one entry that came since.
audit::AuditRecord only_entry(const audit::AuditLog& log, std::uint64_t before) {
  EXPECT_EQ(log.size(), before + 1);
  auto records = log.read(before, 1).value();
  EXPECT_EQ(records.size(), 1U);
  EXPECT_EQ(records.at(0).open.event, audit::EventKind::refusal);
  EXPECT_EQ(records.at(0).open.outcome, audit::Outcome::refused);
  return std::move(records.at(0));
}

TEST(DoorRecord, ARoleThatIsNotAdmin) {
  Api api;
  const std::string mine = api.operators->authenticate(api.credentials["support"])->credential;
  std::uint64_t before = api.log().size();
  EXPECT_EQ(api.post("support", kSomeKey, R"({"reason":"r","confirm":"destroy"})").status, 403);
  const auto entry = only_entry(api.log(), before);
  EXPECT_EQ(entry.detail->object, std::string("POST ") + kSomeKey);
  EXPECT_EQ(entry.detail->remark, "role");
  EXPECT_EQ(entry.detail->operator_name + " " + entry.detail->role, "support support");
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(entry.detail->credential, mine);
  for (const char* path : {"/v1/operators", "/v1/store", "/metrics", "/v1/honey-tokens"}) {
    before = api.log().size();
    EXPECT_EQ(api.get(path, api.credentials["dpo"]).status, 403) << path;
    EXPECT_EQ(only_entry(api.log(), before).detail->object, std::string("GET ") + path);
  }
}

TEST(DoorRecord, ACredentialForOtherPaths) {
  Api api;
  const AdminResponse made =
      api.post("admin", "/v1/operators",
               R"({"name":"crm","role":"support","type":"program","paths":["protect"],)"
               R"("reason":"r"})");
  ASSERT_EQ(made.status, 200) << made.body;
  const auto document = boost::json::parse(made.body).as_object();
  const std::string credential(document.at("credential").as_string());
  const std::uint64_t before = api.log().size();
  EXPECT_EQ(api.get("/v1/audit/checkpoint", credential).status, 403);
  const auto entry = only_entry(api.log(), before);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "GET /v1/audit/checkpoint scope");
  EXPECT_EQ(entry.detail->credential, api.operators->authenticate(credential)->credential);
  // Where nobody learns anything of anybody a monitor fills no log.
  EXPECT_EQ(api.get("/healthz", credential).status, 403);
  // Whether a kept answer is theirs is nobody's question on record.
  AdminRequest request;
  request.path = "/v1/audit/checkpoint";
  request.authorization = "Bearer " + credential;
  EXPECT_FALSE(api.api->caller_of(request));
  EXPECT_EQ(api.log().size(), before + 1);
}

TEST(DoorRecord, ALogThatIsNotTheirs) {
  Api api;
  const std::pair<const char*, const char*> asked[] = {
      {"support", "/v1/audit/entries"},
      {"dpo", "/v1/audit/entries?log=installation"},
      {"dpo", "/v1/audit/checkpoint?log=installation"},
      {"dpo", "/v1/audit/proof/inclusion?log=installation&index=0"},
      {"support", "/v1/audit/proof/consistency?log=installation&from=1"}};
  for (const auto& [who, path] : asked) {
    const std::uint64_t before = api.log().size();
    EXPECT_EQ(api.get(path, api.credentials[who]).status, 403) << path;
    const auto entry = only_entry(api.log(), before);
    const std::string door = std::string(path).substr(0, std::string(path).find('?'));
    EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "GET " + door + " record");
  }
}

TEST(DoorRecord, OfWhomNoTenantKnowsInTheInstallationsLog) {
  Api api;
  const std::uint64_t before = api.logs->installation().size();
  EXPECT_EQ(api.post("stranger", kSomeKey, "{}").status, 403);
  EXPECT_EQ(only_entry(api.logs->installation(), before).detail->operator_name, "stranger");
}

TEST(DoorRecord, WithoutOneTheAnswerSaysSo) {
  Api api;
  std::filesystem::remove_all(api.folder.path() / "audit");
  EXPECT_EQ(api.post("support", kSomeKey, "{}").status, 503);
}

TEST(DoorText, HoldsNoTextOfTheAskers) {
  const auto text = [](const std::string& path) {
    AdminRequest request;
    request.method = "POST";
    request.path = path;
    return door_text(request);
  };
  EXPECT_EQ(text("/metrics"), "POST /metrics");
  EXPECT_EQ(text(kSomeKey), std::string("POST ") + kSomeKey);
  EXPECT_EQ(text("/v1/keys/anne@example.fr/destroy"), "POST /v1/keys/*/destroy");
  EXPECT_EQ(text("/v1/keys/Anne%20Martin/x\xC3\xA9"), "POST /v1/keys/*/*");
  EXPECT_EQ(text("/v1/keys//"), "POST /v1/keys//");
  EXPECT_LE(text("/v1/keys/" + std::string(5000, 'a')).size(), 300U);
}

}  // namespace
}  // namespace paravent::proxy::admin
