// A name that leads elsewhere from one moment to the next, from the look-up to the last worker.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

// An application that says who it is and keeps its connections.
FakeUpstream::Serve saying(std::string word) {
  return [word](Peer& peer, int) {
    while (!peer.read_message().empty()) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(word.size()) + "\r\n\r\n" +
                 word);
    }
  };
}

// The policy's one upstream, by a name that no resolver knows.
std::string policy_by_name() {
  std::string text = policy_text(9000);
  const std::string address = "127.0.0.1:";
  for (std::size_t at; (at = text.find(address)) != std::string::npos;) {
    text.replace(at, address.size(), "app.example:");
  }
  return text;
}

class MovingName : public testing::Test {
 protected:
  MovingName() {
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.workers = 2;
    options.vault = &vault_;
    options.resolve_seconds = 1;
    options.look_up = [this](const policies::UpstreamTarget& target) {
      EXPECT_EQ(target.host, "app.example");
      return std::vector<SocketAddress>{*socket_address({"127.0.0.1", leads_to_.load()})};
    };
    server_ = Server::start(options, snapshot_of(policy_by_name())).value();
  }
  std::string ask(Peer& client) const {
    client.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    const std::string answer = client.read_message();
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  // How many of so many new connections, which fall to either worker, are answered so.
  int answered(const std::string& word) const {
    int count = 0;
    for (int i = 0; i < kMany; ++i) {
      Peer client = Peer::connect(server_->ports().at(0));
      count += ask(client) == word ? 1 : 0;
    }
    return count;
  }

  static constexpr int kMany = 40;
  FakeUpstream first_{saying("first")};
  FakeUpstream second_{saying("second")};
  std::atomic<std::uint16_t> leads_to_{first_.port()};
  FakeVault vault_;
  std::unique_ptr<Server> server_;
};

TEST_F(MovingName, TakesTheRequestsOfAllWorkersWithIt) {
  Peer client = Peer::connect(server_->ports().at(0));
  EXPECT_EQ(ask(client), "first");
  EXPECT_EQ(answered("first"), kMany);
  leads_to_ = second_.port();
  const auto end = std::chrono::steady_clock::now() + 60s;
  int moved = 0;
  while ((moved = answered("second")) < kMany && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(moved, kMany);
  // Also of a client that was there before; and nothing that is open to the old place is used.
  EXPECT_EQ(ask(client), "second");
  EXPECT_EQ(server_->resolve_failures(), 0U);
}

}  // namespace
}  // namespace paravent::proxy::net
