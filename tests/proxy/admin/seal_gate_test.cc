#include "proxy/admin/seal_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

class FakeApi final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest& request) override {
    running = true;
    while (hold) std::this_thread::yield();
    AdminResponse answer(200, "text/plain", "api");
    if (request.path == "/v1/long") {
      answer.more = [this](std::string& piece) {
        ++pieces;
        piece = "a line\n";
        return true;
      };
    }
    return answer;
  }
  int pieces = 0;
  std::atomic<bool> hold{false};
  std::atomic<bool> running{false};
};

class FakeControl final : public SealControl {
 public:
  SealState seal_state() override { return state; }
  crypto::Result<SealState> unseal(const crypto::SecretBytes* secret, const std::string&) override {
    ++attempts;
    if (secret != nullptr) last = std::string(crypto::as_text(secret->bytes()));
    if (last == "wrong") return Error(ErrorKind::refused, "The pass-phrase is wrong.");
    if (last == "form") return Error(ErrorKind::malformed, "This is no share.");
    if (last == "store") return Error(ErrorKind::data, "The key store is altered.");
    if (secret != nullptr) state.sealed = false;
    return state;
  }
  crypto::Result<bool> seal(const Operator&) override {
    state.sealed = true;
    return recorded;
  }
  SealState state{true, true, "passphrase", 0, 1};
  std::string last;
  int attempts = 0;
  bool recorded = true;
};

class Gate : public testing::Test {
 protected:
  Gate() {
    for (const char* role : {"admin", "dpo"}) {
      const auto made = operators->add(role, role, crypto::vault::kNoId);
      credentials[role] = std::string(crypto::as_text(made->bytes()));
    }
  }
  AdminResponse ask(const std::string& method, const std::string& path,
                    const std::string& body = "", const std::string& who = "",
                    bool loopback = true) {
    AdminRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.from_loopback = loopback;
    if (!who.empty()) request.authorization = "Bearer " + credentials[who];
    return gate.handle(request);
  }

  TempFolder folder;
  std::unique_ptr<Operators> operators = Operators::in_memory();
  FirstCredentials first{folder.path()};
  std::map<std::string, std::string> credentials;
  FakeControl control;
  FakeApi api;
  SealGate gate{*operators, first, control, [] { return std::string("metrics\n"); }};
};

TEST_F(Gate, ACredentialForOtherPathsNeitherSealsNorUnseals) {
  ASSERT_TRUE(operators->add("admin-2", "admin", crypto::vault::kNoId));
  ASSERT_TRUE(operators->change("admin", [](OperatorRecord& kept) -> crypto::Status {
    kept.credentials.front().scope.paths = {"metrics"};
    return {};
  }));
  control.state.sealed = false;
  EXPECT_EQ(ask("POST", "/v1/seal", "", "admin").status, 403);
  EXPECT_FALSE(control.state.sealed);
  EXPECT_EQ(ask("POST", "/v1/unseal", R"({"passphrase":"x"})", "admin", false).status, 403);
  EXPECT_EQ(control.attempts, 0);
}

TEST_F(Gate, ALongAnswerEndsWhereTheVaultIsSealed) {
  FakeApi opened;
  gate.open(opened, nullptr);
  AdminResponse answer = ask("GET", "/v1/long");
  ASSERT_TRUE(answer.more);
  std::string piece;
  EXPECT_TRUE(answer.more(piece));
  gate.close();
  EXPECT_FALSE(answer.more(piece));
  EXPECT_NE(piece.find("urn:paravent:problem:sealed"), std::string::npos);
  gate.open(opened, nullptr);  // another vault, as far as the old answer knows
  EXPECT_FALSE(answer.more(piece));
  EXPECT_EQ(opened.pieces, 1);
}

// What holds the root key is pulled out: nothing more is opened, though the keys are still there.
TEST_F(Gate, ALongAnswerEndsWhereTheRootKeyIsTakenAway) {
  FakeApi opened;
  gate.open(opened, nullptr);
  AdminResponse answer = ask("GET", "/v1/long");
  std::string piece;
  EXPECT_TRUE(answer.more(piece));
  gate.set_present(false);
  EXPECT_FALSE(answer.more(piece));
  EXPECT_NE(piece.find("urn:paravent:problem:sealed"), std::string::npos);
  EXPECT_EQ(opened.pieces, 1);
}

TEST_F(Gate, SealedMeansSealed) {
  for (const char* path : {"/v1/reidentify", "/v1/audit/checkpoint", "/v1/policy", "/nothing"}) {
    const AdminResponse answer = ask("POST", path, "{}", "dpo");
    EXPECT_EQ(answer.status, 503) << path;
    EXPECT_NE(answer.body.find("urn:paravent:problem:sealed"), std::string::npos);
    EXPECT_EQ(answer.headers.at(0).first, "Retry-After");
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  const AdminResponse ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, "{\"status\":\"sealed\"}\n");
  EXPECT_EQ(ask("HEAD", "/healthz").status, 200);
  EXPECT_EQ(ask("HEAD", "/readyz").status, 503);
  EXPECT_EQ(ask("HEAD", "/readyz", "", "", false).status, 401);
  EXPECT_EQ(ask("GET", "/metrics").body, "metrics\n");
  EXPECT_EQ(ask("GET", "/openapi.json").status, 200);
  EXPECT_EQ(ask("GET", "/healthz", "", "", false).status, 401);
  EXPECT_EQ(ask("GET", "/healthz", "", "dpo", false).status, 200);
  EXPECT_EQ(ask("GET", "/metrics", "", "dpo", false).status, 403);
}

TEST_F(Gate, OpenPassesEverythingOnUntilItIsClosed) {
  gate.open(api, nullptr);
  EXPECT_EQ(ask("POST", "/v1/reidentify").body, "api");
  EXPECT_EQ(ask("GET", "/readyz").body, "api");
  gate.set_present(false);
  EXPECT_EQ(ask("POST", "/v1/reidentify").status, 503);
  EXPECT_EQ(ask("GET", "/readyz").body, "{\"status\":\"ready\",\"reveal\":\"sealed\"}\n");
  EXPECT_EQ(ask("GET", "/metrics").body, "api");
  gate.set_present(true);
  EXPECT_EQ(ask("POST", "/v1/reidentify").body, "api");
  gate.close();
  EXPECT_EQ(ask("POST", "/v1/reidentify").status, 503);
}

TEST_F(Gate, ClosingWaitsForTheHandlersThatRun) {
  gate.open(api, nullptr);
  api.hold = true;
  auto handler = std::async(std::launch::async, [this] { return ask("POST", "/v1/x").status; });
  while (!api.running) std::this_thread::yield();
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    gate.close();
    closed = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(closed);
  api.hold = false;
  closer.join();
  EXPECT_EQ(handler.get(), 200);
}

TEST_F(Gate, EachOutcomeOfUnsealingHasItsStatus) {
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}").status, 200);
  EXPECT_EQ(ask("POST", "/v1/unseal", R"({"share":"form"})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/unseal", R"({"pin":"store"})").status, 409);
  for (int tries = 0; tries < 20; ++tries) {
    EXPECT_EQ(ask("POST", "/v1/unseal", R"({"passphrase":"wrong"})").status, 403);
    const int attempts = control.attempts;
    const auto begin = std::chrono::steady_clock::now();
    const auto status = ask("POST", "/v1/unseal", R"({"passphrase":"wrong"})").status;
    if (status != 429 &&
        std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(900)) {
      // A machine that stood still for the whole of the pause.
      std::this_thread::sleep_for(std::chrono::milliseconds(1100));
      continue;
    }
    EXPECT_EQ(status, 429);
    EXPECT_EQ(control.attempts, attempts);
    break;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const AdminResponse answer = ask("POST", "/v1/unseal", R"({"passphrase":"r\"\u00e9"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(control.last, "r\"é");
  EXPECT_EQ(
      answer.body,
      "{\"sealed\":false,\"present\":true,\"method\":\"passphrase\",\"given\":0,\"needed\":1}\n");
}

TEST_F(Gate, FromElsewhereAnOperatorsCredentialIsAskedForToo) {
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}", "", false).status, 401);
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}", "dpo", false).status, 200);
  credentials["nobody"] = "pvcred_wrong";
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}", "nobody").status, 401);
  EXPECT_EQ(ask("GET", "/v1/unseal").status, 405);
}

TEST_F(Gate, OnlyTheRoleAdminSeals) {
  control.state.sealed = false;
  EXPECT_EQ(ask("POST", "/v1/seal").status, 401);
  EXPECT_EQ(ask("POST", "/v1/seal", "", "dpo").status, 403);
  EXPECT_EQ(ask("POST", "/v1/seal", "", "admin").body, "{\"sealed\":true,\"recorded\":true}\n");
  control.state.sealed = false;
  control.recorded = false;
  EXPECT_EQ(ask("POST", "/v1/seal", "", "admin").body, "{\"sealed\":true,\"recorded\":false}\n");
}

// A full disk keeps nobody from sealing; for everything else a credential leaves the file first.
TEST_F(Gate, AFirstCredentialThatCannotLeaveItsFileSeals) {
  ASSERT_TRUE(
      first.write(first_credentials_json(crypto::SecretBytes::copy_of(credentials["dpo"]),
                                         crypto::SecretBytes::copy_of(credentials["admin"]))));
  const auto file = folder.path() / "first-credentials";
  const auto obstacle = folder.path() / "first-credentials.tmp";
  const auto kept = [&] {
    const std::string text = test::whole_file(file);
    return text.find(credentials["admin"]) != std::string::npos;
  };
  std::filesystem::create_directory(obstacle);
  control.state.sealed = false;
  EXPECT_EQ(ask("POST", "/v1/seal", "", "admin").body, "{\"sealed\":true,\"recorded\":true}\n");
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}", "admin", false).status, 503);
  EXPECT_TRUE(kept());
  std::filesystem::remove(obstacle);
  EXPECT_EQ(ask("POST", "/v1/unseal", "{}", "admin", false).status, 200);
  EXPECT_FALSE(kept());
}

// The gate in front of logs that are open while the vault is.
class GateOnRecord : public testing::Test {
 protected:
  AdminResponse ask(const std::string& path, const std::string& credential) {
    AdminRequest request;
    request.method = path == "/metrics" ? "GET" : "POST";
    request.path = path;
    request.authorization = "Bearer " + credential;
    return gate_.handle(request);
  }

  Api api_;
  FakeControl control_;
  SealGate gate_{*api_.operators, api_.first, control_, [] { return std::string("metrics\n"); }};
};

TEST_F(GateOnRecord, WhoeverIsTurnedAwayIsOnRecordWhileItIsOpen) {
  control_.state.sealed = false;
  gate_.open(*api_.api, api_.logs.get());
  const std::uint64_t before = api_.log().size();
  EXPECT_EQ(ask("/v1/seal", api_.credentials["dpo"]).status, 403);
  ASSERT_EQ(api_.log().size(), before + 1);
  const auto entry = api_.entries(before).at(0);
  EXPECT_EQ(entry.open.event, crypto::audit::EventKind::refusal);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "POST /v1/seal role");
  EXPECT_EQ(entry.detail->operator_name, "dpo");
  EXPECT_FALSE(entry.detail->credential.empty());
  ASSERT_TRUE(api_.operators->change("dpo", [](OperatorRecord& kept) -> crypto::Status {
    kept.credentials.front().scope.paths = {"audit"};
    return {};
  }));
  for (const char* path : {"/v1/seal", "/v1/unseal"}) {
    EXPECT_EQ(ask(path, api_.credentials["dpo"]).status, 403);
    EXPECT_EQ(api_.entries(api_.log().size() - 1).at(0).detail->remark, "scope") << path;
  }
  EXPECT_EQ(api_.log().size(), before + 3);
  // Sealed there is no log.
  gate_.close();
  EXPECT_EQ(ask("/v1/unseal", api_.credentials["dpo"]).status, 403);
  EXPECT_EQ(ask("/metrics", api_.credentials["support"]).status, 403);
  EXPECT_EQ(api_.log().size(), before + 3);
}

TEST_F(GateOnRecord, WrongCredentialsAreThrottledAtEveryDoorTogether) {
  for (std::uint32_t i = 0; i < WrongCredentials::kMostPerMinute; ++i) {
    const char* const path = i % 3 == 0 ? "/metrics" : i % 3 == 1 ? "/v1/seal" : "/v1/unseal";
    ASSERT_EQ(ask(path, "pvcred_wrong").status, 401) << path << " sealed, " << i;
  }
  const AdminResponse over = ask("/v1/unseal", "pvcred_wrong");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.headers.at(0).first, "Retry-After");
  EXPECT_EQ(ask("/metrics", api_.credentials["admin"]).status, 200) << "right ones never wait";
  gate_.open(*api_.api, api_.logs.get());
  EXPECT_EQ(ask("/v1/seal", "pvcred_wrong").status, 429);
  EXPECT_EQ(ask("/v1/rewrap", "pvcred_wrong").status, 429) << "behind the gate too";
  api_.clock.move(std::chrono::seconds(61));
  for (std::uint32_t i = 0; i < WrongCredentials::kMostPerMinute; ++i) {
    ASSERT_EQ(ask("/v1/seal", "pvcred_wrong").status, 401);
  }
  const std::uint64_t before = api_.logs->installation().size();
  EXPECT_EQ(ask("/v1/seal", "pvcred_wrong").status, 429);
  EXPECT_EQ(ask("/v1/seal", "pvcred_wrong").status, 429);
  EXPECT_EQ(api_.logs->installation().size(), before + 1) << "the first is on record";
}

TEST(UnsealRequest, IsNothingOrOneSecret) {
  for (const char* bad : {"", "[]", "null", "{\"key\":\"x\"}", "{\"pin\":1}",
                          "{\"pin\":\"1\",\"share\":\"2\"}", "{\"pin\":\"1\"", "{} x"}) {
    EXPECT_FALSE(parse_unseal_request(bad)) << bad;
  }
  EXPECT_FALSE(parse_unseal_request("{\"pin\":\"" + std::string(9000, 'x') + "\"}"));
  EXPECT_FALSE(parse_unseal_request("{}")->has_value());
  EXPECT_TRUE(parse_unseal_request(R"({"pin":"1"})")->has_value());
  EXPECT_FALSE(parse_unseal_request(std::string(8000, '[')));
}

}  // namespace
}  // namespace paravent::proxy::admin
