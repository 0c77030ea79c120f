// What arrives while a worker is held lies in one batch of events when it goes on: the order in
// which sessions and upstream connections end, are given back and taken again within a batch.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
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

}  // namespace
}  // namespace paravent::proxy::net
