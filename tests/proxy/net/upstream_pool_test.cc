// What becomes of kept connections, asked for directly: no client, so that it is the test that says
// what happens between an exchange's beginning and its end.

#include "proxy/net/upstream_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "proxy/pipeline/request_protector.h"
#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

// One exchange: its request, and its answer once the future says so.
class Asked final : public UpstreamHandler {
 public:
  void on_response(const ResponseHead&, std::string_view body, bool complete) override {
    answer.append(body);
    take(complete);
  }
  void on_response_body(std::string_view bytes, bool complete) override {
    answer.append(bytes);
    take(complete);
  }
  void on_failure(UpstreamFailure) override {
    answer = "failed";
    done.set_value();
  }

  ExchangeBuffers buffers;
  UpstreamExchange* exchange = nullptr;
  std::string answer;
  std::promise<void> done;

 private:
  void take(bool complete) {
    if (complete) {
      done.set_value();
    } else {
      exchange->resume();
    }
  }
};

// A pool on a thread of its own, with one target.
class Pool {
 public:
  Pool() : snapshot_(snapshot_of(policy_text(1))), counters_(8, 8, kReasonCount) {
    head_.method_text = "GET";
    head_.target = head_.path = "/";
    head_.host = "a.example";
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Pool() {
    run([this] { loop_.stop(); });
    thread_.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // On the loop's thread, and waits for it.
  void run(const std::function<void()>& work) {
    std::promise<void> done;
    loop_.mailbox()->post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  // The one target is there from now on.
  void lead_to(std::uint16_t port) {
    auto address = std::make_shared<UpstreamAddress>();
    address->key = "the target";
    address->addresses = {*socket_address({"127.0.0.1", port})};
    address->health = std::make_shared<UpstreamHealth>();
    run([&] { group_.hosts = {&pool_.host(address)}; });
  }
  // On the loop's thread.
  void begin(Asked& asked) {
    const auto match = snapshot_->plan->route_for("GET", "a.example", "/");
    RequestProtector protector(*match.route, head_, {"192.0.2.7", false}, false, asked.buffers);
    asked.exchange = pool_.exchange(group_, protector.pass({}), asked, limits_, counters_);
  }
  std::string ask() {
    Asked asked;
    run([&] { begin(asked); });
    asked.done.get_future().wait();
    // The handler is told before the connection is kept.
    run([] {});
    return asked.answer;
  }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  telemetry::WorkerCounters counters_;
  Limits limits_;
  RequestHead head_;
  EventLoop loop_;
  ReadBlockPool blocks_;
  tls::WarmStreams warm_;
  UpstreamPool pool_{loop_, blocks_, warm_};
  UpstreamGroup group_;
  std::thread thread_;
};

std::string answer_of(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The application says something that nobody asked for and breaks off, after the connection was
// taken for a request and before its first byte could leave.
TEST(UpstreamPool, WhatCameBeforeAByteOfTheRequestHasLeftIsNoAnswer) {
  std::atomic<bool> speak = false;
  std::atomic<bool> spoken = false;
  FakeUpstream upstream([&](Peer& peer, int connection) {
    peer.read_message();
    peer.write(answer_of("of " + std::to_string(connection)));
    if (connection != 1) return;
    while (!speak) std::this_thread::sleep_for(1ms);
    peer.write(answer_of("poison"));
    peer.reset();
    spoken = true;
  });
  Pool pool;
  pool.lead_to(upstream.port());
  ASSERT_EQ(pool.ask(), "of 1");
  Asked asked;
  pool.run([&] {
    pool.begin(asked);
    speak = true;
    while (!spoken) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(10ms);
  });
  asked.done.get_future().wait();
  pool.run([] {});
  EXPECT_EQ(asked.answer, "of 2");
}

TEST(UpstreamPool, AConnectionToWhereTheTargetWasIsNotKept) {
  std::atomic<bool> asked_old = false;
  std::atomic<bool> answer_old = false;
  FakeUpstream old_place([&](Peer& peer, int) {
    while (!peer.read_message().empty()) {
      asked_old = true;
      while (!answer_old) std::this_thread::sleep_for(1ms);
      peer.write(answer_of("old"));
    }
  });
  FakeUpstream new_place([](Peer& peer, int) {
    while (!peer.read_message().empty()) peer.write(answer_of("new"));
  });
  Pool pool;
  pool.lead_to(old_place.port());
  Asked asked;
  pool.run([&] { pool.begin(asked); });
  while (!asked_old) std::this_thread::sleep_for(1ms);
  pool.lead_to(new_place.port());
  answer_old = true;
  asked.done.get_future().wait();
  pool.run([] {});
  EXPECT_EQ(asked.answer, "old");
  EXPECT_EQ(pool.ask(), "new");
  EXPECT_EQ(pool.ask(), "new");
  EXPECT_EQ(new_place.connections(), 1);
}

}  // namespace
}  // namespace paravent::proxy::net
