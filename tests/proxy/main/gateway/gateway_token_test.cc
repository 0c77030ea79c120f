// A whole gateway under a clock that the test moves, with its root key in a PKCS#11 token
// (SoftHSM2) that is pulled out over the end of an epoch: no new epoch begins without the token;
// the gateway seals itself, and goes on when the token is back.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/audit/verifier.h"
#include "proxy/config/gateway_config.h"
#include "proxy/main/gateway/gateway.h"
#include "proxy/main/io/http_client.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
using crypto::Result;
using crypto::SecretBytes;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";

constexpr std::string_view kPolicy = R"(policy: 1
tenant: atelier
roles: { dpo: { reveal: clear } }
recipients: { crm: { name: Atelier CRM, country: FR } }
purposes:
  contact: { basis: consent, retention: { active: P1Y }, reveal: [dpo] }
routes:
  - name: contact
    match: { method: POST, path: /contact }
    upstream: http://127.0.0.1:1
    recipient: crm
    purpose: contact
    fields: { form.name: { kind: name, do: tokenise } }
)";

class MovedClock final : public crypto::Clock {
 public:
  crypto::WallTime now() const override {
    const int days = days_;
    if (std::this_thread::get_id() == watched_.load()) {
      seen_ = days;
    } else if (hold_next_.exchange(false)) {
      held_ = true;
      held_.notify_all();
      held_.wait(true);
    }
    return crypto::SystemClock().now() + std::chrono::days(days);
  }
  void add_days(int days) { days_ += days; }

  void watch(std::thread::id thread) { watched_ = thread; }
  // Whether the watched thread comes to look on the day that is now.
  bool is_seen() const {
    for (int i = 0; i < 1200 && seen_ != days_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return seen_ == days_;
  }
  // The next other thread that looks waits until it is let go.
  void hold_next() { hold_next_ = true; }
  void wait_for_held() const { held_.wait(false); }
  void let_go() {
    held_ = false;
    held_.notify_all();
  }

 private:
  std::atomic<int> days_{0};
  std::atomic<std::thread::id> watched_{};
  mutable std::atomic<int> seen_{0};
  mutable std::atomic<bool> hold_next_{false};
  mutable std::atomic<bool> held_{false};
};

class GatewayToken : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kModule)) GTEST_SKIP() << "SoftHSM2 is not installed";
    std::string name = (fs::temp_directory_path() / "paravent-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(folder_ / "tokens");
    put("softhsm2.conf", "directories.tokendir = " + (folder_ / "tokens").string() +
                             "\nobjectstore.backend = file\n");
    ::setenv("SOFTHSM2_CONF", (folder_ / "softhsm2.conf").c_str(), 1);
    ASSERT_EQ(std::system("softhsm2-util --init-token --free --label paravent --so-pin 12345678 "
                          "--pin 483921 > /dev/null"),
              0);
    token_ = fs::directory_iterator(folder_ / "tokens")->path();
    put("pin", "483921\n");
    put("policy.yaml", std::string(kPolicy));
    put("gateway.yaml",
        "listen: [{ address: 127.0.0.1:0 }]\nadmin: { address: 127.0.0.1:0 }\ndata: " +
            (folder_ / "data").string() + "\nworkers: 1\npolicies: [" +
            (folder_ / "policy.yaml").string() +
            "]\nvault: { unseal: { pkcs11: { module: " + kModule +
            ", token: paravent, key: root, pin-file: " + (folder_ / "pin").string() + " } } }\n");
  }
  ~GatewayToken() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    fs::permissions(folder_ / name, fs::perms::owner_read | fs::perms::owner_write);
  }

  Result<GatewayFiles> read_files() const {
    auto loaded = config::load_gateway_file((folder_ / "gateway.yaml").string());
    if (loaded.diagnostics.has_errors()) return crypto::Error(crypto::ErrorKind::configuration);
    std::string remarks;
    auto policies = load_policies(loaded.config.policies, remarks);
    if (!policies) return policies.error();
    return GatewayFiles{std::move(loaded.config), std::move(*policies)};
  }

  // "listening on A, admin on B"
  void listen_at(const std::string& addresses) {
    const std::size_t comma = addresses.find(", admin on ");
    site_ = "http://" + addresses.substr(13, comma - 13);
    admin_ = "http://" + addresses.substr(comma + 11);
  }

  void start() {
    auto files = read_files();
    ASSERT_TRUE(files);
    const InstallationPaths paths = configured_paths(files->config);
    {
      const auto made = Installation::initialise(
          paths, clock_, [this](const SecretBytes& first) -> crypto::Status {
            const std::string_view text = crypto::as_text(first.bytes());
            constexpr std::string_view kKey = "\"admin_credential\":\"";
            const std::size_t at = text.find(kKey) + kKey.size();
            credential_ = text.substr(at, text.find('"', at) - at);
            return {};
          });
      ASSERT_TRUE(made) << made.error().sentence();
    }
    auto installation = Installation::open_sealed(paths, clock_);
    ASSERT_TRUE(installation) << installation.error().sentence();
    const ReadFiles again = [this](std::string&) { return read_files(); };
    auto gateway = Gateway::start(std::move(*files), again, std::move(*installation), clock_);
    ASSERT_TRUE(gateway) << gateway.error().sentence();
    gateway_ = std::move(*gateway);
    listen_at(gateway_->addresses());
    running_ = std::thread([this] { EXPECT_TRUE(gateway_->wait()); });
    clock_.watch(running_.get_id());
    EXPECT_TRUE(becomes(200, "\"ready\""));
    EXPECT_EQ(submit(), 502);
  }
  void stop() {
    ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
    running_.join();
    gateway_.reset();
    const auto audit = crypto::audit::verify_audit((folder_ / "data" / "audit").string(), {});
    ASSERT_TRUE(audit);
    EXPECT_TRUE(audit->verified());
  }

  HttpAnswer ask(const std::string& url, const std::string& path, bool post = false,
                 std::string_view body = {}, const std::string& type = "application/json",
                 std::vector<std::pair<std::string, std::string>> headers = {}) const {
    HttpQuestion question;
    question.url = url;
    question.path = path;
    question.post = post;
    question.body = body;
    question.content_type = type;
    question.headers = std::move(headers);
    question.patience = std::chrono::seconds(120);
    auto answer = http_exchange(question);
    EXPECT_TRUE(answer) << path;
    return answer ? std::move(*answer) : HttpAnswer{};
  }
  // What a form gets. 502: it was protected, and went on to an upstream that is not there.
  std::uint16_t submit() const {
    return ask(site_, "/contact", true, "name=Anne", "application/x-www-form-urlencoded").status;
  }
  // Whether /readyz comes to say so.
  bool becomes(std::uint16_t status, std::string_view word) const {
    for (int i = 0; i < 1200; ++i) {
      const HttpAnswer answer = ask(admin_, "/readyz");
      if (answer.status == status && answer.body.find(word) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  fs::path folder_;
  fs::path token_;
  std::string site_;
  std::string admin_;
  std::string credential_;  // of the operator admin
  MovedClock clock_;
  std::unique_ptr<Gateway> gateway_;
  std::thread running_;
};

TEST_F(GatewayToken, NoNewEpochBeginsWhileItIsAway) {
  ASSERT_NO_FATAL_FAILURE(start());
  // With the token an epoch follows the other.
  clock_.add_days(40);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_TRUE(becomes(200, "\"ready\""));
  EXPECT_EQ(submit(), 502);

  // Away within an epoch: nothing is revealed, and forms go on.
  const fs::path away = folder_ / "away";
  fs::rename(token_, away);
  EXPECT_TRUE(becomes(200, "\"reveal\":\"sealed\""));
  EXPECT_EQ(submit(), 502);
  // Its end comes: the keys of the next one are not made, and nothing is protected under old ones.
  clock_.add_days(40);
  EXPECT_TRUE(becomes(503, "\"sealed\""));
  for (int i = 0; i < 3000 && submit() != 503; ++i) {  // the workers a moment after the API
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(submit(), 503);
  const HttpAnswer without = ask(admin_, "/v1/unseal", true, "{}");
  EXPECT_EQ(without.status, 409);
  EXPECT_NE(without.body.find("no token labelled paravent"), std::string::npos);
  EXPECT_EQ(submit(), 503);

  // Back: the PIN file opens it, and the epoch that was due begins.
  fs::rename(away, token_);
  HttpAnswer back;
  for (int i = 0; i < 600 && back.status != 200; ++i) {
    back = ask(admin_, "/v1/unseal", true, "{}");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_TRUE(becomes(200, "\"ready\""));
  EXPECT_EQ(submit(), 502);

  stop();
}

// The epoch is over and the token away, so the gateway is about to seal itself; it waits for a
// handler, and meanwhile the token is back and somebody is told so.
TEST_F(GatewayToken, WhatCameBackInTimeDoesNotSeal) {
  ASSERT_NO_FATAL_FAILURE(start());
  // A handler that runs for as long as the test says. What the form has set going is over first.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  clock_.hold_next();
  HttpAnswer slow;
  std::thread handler([this, &slow] {
    slow = ask(admin_, "/v1/nothing", true, "{}", "application/json",
               {{"Authorization", "Bearer " + credential_}, {"Idempotency-Key", "1"}});
  });
  clock_.wait_for_held();
  const fs::path away = folder_ / "away";
  fs::rename(token_, away);
  EXPECT_TRUE(becomes(200, "\"reveal\":\"sealed\""));
  clock_.add_days(40);
  EXPECT_TRUE(clock_.is_seen());  // that the epoch is over

  fs::rename(away, token_);
  HttpAnswer back;
  for (int i = 0; i < 600 && back.status != 200; ++i) {
    back = ask(admin_, "/v1/unseal", true, "{}");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_NE(back.body.find("\"sealed\":false,\"present\":true"), std::string::npos) << back.body;
  clock_.let_go();
  handler.join();
  EXPECT_EQ(slow.status, 404);
  // It goes on, and looks at the epochs as before.
  clock_.add_days(1);
  EXPECT_TRUE(clock_.is_seen());
  const HttpAnswer ready = ask(admin_, "/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body.find("sealed"), std::string::npos) << ready.body;
  EXPECT_EQ(submit(), 502);
  stop();
}

}  // namespace
}  // namespace paravent::proxy::main

// The signals that the gateway waits for are blocked before any thread starts.
int main(int argc, char** argv) {
  paravent::proxy::main::block_signals();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
