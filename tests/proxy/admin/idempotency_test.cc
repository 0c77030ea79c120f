// A change that is sent twice happens once.

#include "proxy/admin/idempotency.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace paravent::proxy::admin {
namespace {

class TestClock final : public crypto::Clock {
 public:
  crypto::WallTime now() const override {
    return crypto::WallTime(std::chrono::milliseconds(ms.load()));
  }
  std::atomic<std::int64_t> ms{1'790'000'000'000};
};

// Counts, and answers with the number.
class Counter final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest&) override {
    entered = true;
    if (gate.valid()) gate.wait();
    return {status, "application/json", "answer " + std::to_string(++count)};
  }
  std::atomic<int> count{0};
  std::atomic<bool> entered{false};
  std::uint16_t status = 200;
  std::shared_future<void> gate;
};

struct Fixture : ::testing::Test {
  AdminRequest request(const std::string& key, const std::string& body = "{}") {
    AdminRequest one;
    one.method = "POST";
    one.path = "/v1/tenants";
    one.authorization = "Bearer somebody";
    one.idempotency_key = key;
    one.body = body;
    return one;
  }
  TestClock clock;
  Counter inner;
  // By name behind "Bearer ", whatever follows a dot; nobody without one.
  static std::optional<std::string> caller_of(const AdminRequest& request) {
    if (request.authorization.empty()) return std::nullopt;
    return request.authorization.substr(0, request.authorization.find('.'));
  }
  IdempotentHandler handler{inner, clock, &Fixture::caller_of};
};

using Idempotency = Fixture;

TEST_F(Idempotency, TheSameAnswerAgain) {
  EXPECT_EQ(handler.handle(request("k")).body, "answer 1");
  const AdminResponse again = handler.handle(request("k"));
  EXPECT_EQ(again.body, "answer 1");
  ASSERT_EQ(again.headers.size(), 1U);
  EXPECT_EQ(again.headers[0].first, "Idempotency-Replayed");
  EXPECT_EQ(handler.handle(request("other")).body, "answer 2");
  EXPECT_EQ(handler.handle(request("")).body, "answer 3");
  EXPECT_EQ(handler.handle(request("")).body, "answer 4");
}

// Who fetches a new credential for each request is the same caller; who may not ask gets no answer
// that was kept, and leaves none.
TEST_F(Idempotency, ACallerIsAnOperatorAndNoCredential) {
  AdminRequest first = request("k");
  first.authorization = "Bearer somebody.1";
  EXPECT_EQ(handler.handle(first).body, "answer 1");
  AdminRequest again = request("k");
  again.authorization = "Bearer somebody.2";
  EXPECT_EQ(handler.handle(again).body, "answer 1");
  AdminRequest revoked = request("k");
  revoked.authorization.clear();
  inner.status = 403;
  EXPECT_EQ(handler.handle(revoked).body, "answer 2");
  inner.status = 200;
  EXPECT_EQ(handler.handle(revoked).body, "answer 3");
  EXPECT_EQ(handler.handle(again).body, "answer 1");
}

TEST_F(Idempotency, AnotherRequestUnderTheSameKey) {
  EXPECT_EQ(handler.handle(request("k")).status, 200);
  EXPECT_EQ(handler.handle(request("k", "{\"a\":1}")).status, 422);
  AdminRequest other_path = request("k");
  other_path.path = "/v1/holds";
  EXPECT_EQ(handler.handle(other_path).status, 422);
  AdminRequest other_caller = request("k");
  other_caller.authorization = "Bearer else";
  EXPECT_EQ(handler.handle(other_caller).body, "answer 2");
  EXPECT_EQ(inner.count, 2);
}

TEST_F(Idempotency, WhatFailedIsTriedAgain) {
  for (const int status : {401, 404, 405, 409, 429, 500, 503}) {
    inner.status = static_cast<std::uint16_t>(status);
    const int before = inner.count;
    EXPECT_EQ(handler.handle(request("k")).status, status);
    EXPECT_EQ(handler.handle(request("k")).status, status);
    EXPECT_EQ(inner.count, before + 2) << status;
  }
  inner.status = 400;
  const int before = inner.count;
  EXPECT_EQ(handler.handle(request("k")).status, 400);
  EXPECT_EQ(handler.handle(request("k")).status, 400);
  EXPECT_EQ(inner.count, before + 1);
}

TEST_F(Idempotency, ValuesAreNeverKept) {
  for (const char* path : {"/v1/reidentify", "/v1/subjects/export", "/v1/protect"}) {
    AdminRequest one = request("k");
    one.path = path;
    const int before = inner.count;
    handler.handle(one);
    handler.handle(one);
    EXPECT_EQ(inner.count, before + 2) << path;
  }
}

TEST_F(Idempotency, WhileTheFirstIsUnderWay) {
  std::promise<void> open;
  inner.gate = open.get_future().share();
  std::thread first([&] { EXPECT_EQ(handler.handle(request("k")).body, "answer 1"); });
  while (!inner.entered) std::this_thread::yield();
  EXPECT_EQ(handler.handle(request("k")).status, 409);
  EXPECT_EQ(handler.handle(request("k", "x")).status, 422);
  open.set_value();
  first.join();
  EXPECT_EQ(handler.handle(request("k")).body, "answer 1");
}

TEST_F(Idempotency, AnswersEndAfterAnHourAndAreBounded) {
  EXPECT_EQ(handler.handle(request("k")).body, "answer 1");
  clock.ms += std::chrono::milliseconds(kAnswerLife).count();
  EXPECT_EQ(handler.handle(request("k")).body, "answer 2");
  for (std::size_t i = 0; i < kMostKeptAnswers + 10; ++i) {
    EXPECT_EQ(handler.handle(request("k" + std::to_string(i))).status, 200);
  }
  const int before = inner.count;
  EXPECT_EQ(handler.handle(request("k" + std::to_string(kMostKeptAnswers))).status, 200);
  EXPECT_EQ(inner.count, before);  // the latest are kept
  EXPECT_EQ(handler.handle(request("k0")).status, 200);
  EXPECT_EQ(inner.count, before + 1);  // the oldest went
}

TEST_F(Idempotency, KeysOfAnotherForm) {
  for (const std::string& key : {std::string("a b"), std::string("\x01"), std::string(129, 'k'),
                                 std::string("caf\xC3\xA9")}) {
    EXPECT_EQ(handler.handle(request(key)).status, 400) << key;
  }
  EXPECT_EQ(handler.handle(request(std::string(128, 'k'))).status, 200);
}

}  // namespace
}  // namespace paravent::proxy::admin
