// What arrives while a worker is held lies in one batch of events when it goes on: the order in
// which sessions and upstream connections end, are given back and taken again within a batch.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
}

const std::string kForm =
    "POST /contact HTTP/1.1\r\nHost: a.example\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nname=Jane";

// A client leaves; its answer, which is read ahead, and the next client's request lie in the same
// batch. The connection object that ends goes to the next exchange, and what it had read must not
// go with it.
TEST(HeldBatch, AnAnswerReadAheadForWhoeverLeftReachesNobodyElse) {
  std::atomic<bool> first_asked = false;
  std::atomic<bool> answer_first = false;
  FakeUpstream upstream([&](Peer& peer, int) {
    for (;;) {
      const std::string request = peer.read_message();
      if (request.empty()) return;
      const std::size_t at = request.find(' ') + 1;
      const std::string path = request.substr(at, request.find(' ', at) - at);
      if (path.starts_with("/first")) {
        first_asked = true;
        while (!answer_first) std::this_thread::sleep_for(1ms);
      }
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" +
                 path);
    }
  });
  Gateway gateway(upstream.port());
  Peer holding = Peer::connect(gateway.port());
  Peer second = Peer::connect(gateway.port());
  // Of four events or fewer none is read ahead.
  std::vector<Peer> more;
  for (int i = 0; i < 4; ++i) more.push_back(Peer::connect(gateway.port()));
  for (int round = 0; round < 10; ++round) {
    first_asked = answer_first = false;
    Peer first = Peer::connect(gateway.port());
    first.write(get("/first" + std::to_string(round)));
    while (!first_asked) std::this_thread::sleep_for(1ms);
    gateway.vault.hold = true;
    holding.write(kForm);
    while (!gateway.vault.holds) std::this_thread::sleep_for(1ms);
    // In this order they are told.
    first.reset();
    answer_first = true;
    std::this_thread::sleep_for(20ms);
    second.write(get("/second" + std::to_string(round)));
    for (Peer& one : more) one.write(get("/more"));
    std::this_thread::sleep_for(5ms);
    gateway.vault.hold = false;
    const std::string answer = second.read_message();
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    ASSERT_TRUE(answer.ends_with("/second" + std::to_string(round))) << answer;
    ASSERT_TRUE(holding.read_message().ends_with("/contact"));
    for (Peer& one : more) ASSERT_TRUE(one.read_message().ends_with("/more"));
  }
}

// What an application does to a connection on which nobody has asked it anything.
struct Unasked {
  const char* name;
  std::string says;
  std::string request;  // which comes to that connection
  int others = 0;       // events in front

  friend std::ostream& operator<<(std::ostream& out, const Unasked& one) { return out << one.name; }
};

class HeldBatchUnasked : public testing::TestWithParam<Unasked> {};

const std::string kPoison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

INSTANTIATE_TEST_SUITE_P(
    Upstream, HeldBatchUnasked,
    testing::Values(Unasked{"Answer", kPoison, get("/mine")},
                    Unasked{"AnswerAmongMany", kPoison, get("/mine"), 6},
                    Unasked{"End", "",
                            "POST /mine HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n"
                            "hello"},
                    Unasked{"EndAmongMany", "",
                            "POST /mine HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n"
                            "hello",
                            6}),
    [](const auto& one) { return one.param.name; });

// A request and, behind it in the same batch, what came to the idle connection that it would take:
// it goes to a fresh one.
TEST_P(HeldBatchUnasked, ReachesNobodyWhoseRequestCameInTheSameBatch) {
  const Unasked& unasked = GetParam();
  std::atomic<bool> speak = false;
  std::atomic<bool> spoken = false;
  FakeUpstream upstream([&](Peer& peer, int connection) {
    const auto answer = [&] {
      const std::string request = peer.read_message();
      if (request.empty()) return false;
      const std::string body =
          std::to_string(connection) + request.substr(0, request.find(" HTTP"));
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 body);
      return true;
    };
    if (!answer()) return;
    if (connection == 1) {
      while (!speak) std::this_thread::sleep_for(1ms);
      peer.write(unasked.says);
      if (unasked.says.empty()) peer.close();
      spoken = true;
      if (unasked.says.empty()) return;
    }
    while (answer()) {
    }
  });
  Gateway gateway(upstream.port());
  gateway.vault.delay_ms = 200;  // the form that holds the worker goes on after everything else
  Peer holding = Peer::connect(gateway.port());
  Peer client = Peer::connect(gateway.port());
  std::vector<Peer> others;
  for (int i = 0; i < unasked.others; ++i) others.push_back(Peer::connect(gateway.port()));
  client.write(get("/warm"));
  ASSERT_TRUE(client.read_message().ends_with("1GET /warm"));
  gateway.vault.hold = true;
  holding.write(kForm);
  while (!gateway.vault.holds) std::this_thread::sleep_for(1ms);
  // In this order they are told; the others are refused without asking anybody.
  for (Peer& one : others) one.write("DELETE / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  client.write(unasked.request);
  std::this_thread::sleep_for(10ms);
  speak = true;
  while (!spoken) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(10ms);
  gateway.vault.hold = false;
  const std::string answer = client.read_message();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  const std::string asked = unasked.request.substr(0, unasked.request.find(" HTTP"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n2" + asked)) << answer;
  for (Peer& one : others) {
    EXPECT_TRUE(one.read_message().starts_with("HTTP/1.1 4"));
  }
  client.write(get("/next"));
  EXPECT_TRUE(client.read_message().ends_with("GET /next"));
  EXPECT_TRUE(holding.read_message().ends_with("POST /contact"));
}

}  // namespace
}  // namespace paravent::proxy::net
