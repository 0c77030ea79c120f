// Uploads while the vault is sealed: what is sealed to somebody's public key is noted on a list
// before it goes on, and the application may answer before that.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/proxy/pipeline/upload_testing.h"

namespace paravent::proxy::testing {
namespace {

const std::string kPolicy = policy_text(
    "      multipart.scan: { file: pass }\n"
    "      multipart.proof: { file: encrypt }\n",
    "    when-sealed: encrypt-to one\n",
    "public-keys: { one: { key: 'pvpub1s5s0qzvfxzn4gayt0hwtg0hhtgxm7wsdycup4a8t5j5ca25mfe4qgy396d' "
    "} }\n");

// An upload of which a part has left, and whose next file's key waits for its place on the list.
class Noted : public ::testing::Test {
 protected:
  Noted() : upload_(kPolicy) {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    auto sealed = std::make_shared<Snapshot>();
    sealed->plan = exchange().worker->snapshot->plan;
    // As a sealed gateway has them: what seals to somebody is there, the others are no keys.
    for (const auto& spec : sealed->plan->context_specs()) {
      crypto::ProtectionKey& key = sealed->protection_keys.emplace_back();
      if (spec.public_key.empty()) continue;
      key.key_id = static_cast<std::uint32_t>(sealed->protection_keys.size());
      key.algorithm = spec.algorithm;
      key.ctx = "test context";
      key.public_key.assign(spec.public_key.begin(), spec.public_key.end());
    }
    sealed->seal_key_ids.resize(sealed->protection_keys.size());
    sealed->keys_available = false;
    sealed->sealed_list = telemetry::SealedList::open((folder_ / "list").string()).value();
    exchange().worker =
        make_worker_state(sealed, nullptr, nullptr, exchange().worker.get()).value();
  }
  ~Noted() override { std::filesystem::remove_all(folder_); }

  Exchange& exchange() { return upload_.exchange; }
  void begin() {
    upload_.send(file("scan", kLong) + file("proof", kLong) + kEnd);
    ASSERT_EQ(exchange().up.exchanges, 1);
    exchange().up.handler->on_piece_sent();
    ASSERT_NE(exchange().down.deadline, 0U) << "nothing is waited for";
    while (exchange().down.resumes == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // The same where the disk takes nothing.
  void begin_refused() {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
    begin();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  }
  void answer(std::string_view body, bool complete) {
    exchange().up.handler->on_response(exchange().response(200, BodyFraming::length, 4), body,
                                       complete);
  }
  void expect_one_answer(const std::string& status) {
    const std::string& sent = exchange().down.sent;
    EXPECT_TRUE(sent.starts_with("HTTP/1.1 " + status)) << sent;
    EXPECT_EQ(sent.find("HTTP/1.1 ", 1), std::string::npos) << sent;
    EXPECT_EQ(exchange().down.finishes, 1);
    EXPECT_FALSE(exchange().down.kept_alive);
  }

  std::filesystem::path folder_;
  Streaming upload_;
};

TEST_F(Noted, GoesOnOnceItIsOnTheList) {
  begin();
  const int pieces = exchange().up.pieces;
  exchange().transaction.on_resolved();
  EXPECT_GT(exchange().up.pieces, pieces);
  EXPECT_TRUE(exchange().up.ended);
}

TEST_F(Noted, DoesNotGoOnWhereTheListTakesNothing) {
  begin_refused();
  exchange().transaction.on_resolved();
  EXPECT_EQ(upload_.refused(), "sealed");
  EXPECT_TRUE(upload_.broken_off());
}

TEST_F(Noted, AnEarlyAnswerIsTheOnlyOneWhateverBecomesOfTheNote) {
  begin_refused();
  answer("ok", false);
  exchange().transaction.on_resolved();
  exchange().up.handler->on_response_body("ay", true);
  expect_one_answer("200");
}

TEST_F(Noted, AnEarlyAnswerEndsTheWaitForTheList) {
  begin();
  answer("ok", false);
  EXPECT_EQ(exchange().down.deadline, 0U);
  exchange().transaction.on_deadline();
  exchange().up.handler->on_response_body("ay", true);
  expect_one_answer("200");
}

TEST_F(Noted, NothingGoesOnBehindAWholeAnswer) {
  begin();
  const int pieces = exchange().up.pieces;
  exchange().down.send_status = SendStatus::pending;
  answer("okay", true);
  exchange().transaction.on_resolved();
  exchange().transaction.on_sent(true);
  EXPECT_EQ(exchange().up.pieces, pieces);
  expect_one_answer("200");
}

TEST_F(Noted, AnUpstreamThatBreaksOffIsAnsweredForOnce) {
  begin_refused();
  exchange().down.send_status = SendStatus::pending;
  exchange().up.handler->on_failure(UpstreamFailure::unreachable);
  exchange().transaction.on_resolved();
  exchange().transaction.on_deadline();
  exchange().transaction.on_sent(true);
  expect_one_answer("502");
}

}  // namespace
}  // namespace paravent::proxy::testing
