// Close to the limit of its memory a gateway gives up first what rests, then what is new. How full
// it is the test says.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class Shedding : public testing::Test {
 protected:
  Shedding() {
    Limits limits;
    limits.memory_bytes = 1'000'000;
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.workers = 1;
    options.vault = &vault_;
    options.resident = [this] { return used_.load(); };
    server_ = Server::start(options, snapshot_of(policy_text(upstream_.port()), limits)).value();
  }
  Peer connect() const { return Peer::connect(server_->ports().at(0)); }
  std::string ask(Peer& client) const {
    client.write(kGet);
    return client.read_message();
  }
  // A worker looks every tick.
  void fill(std::uint64_t bytes) {
    used_ = bytes;
    std::this_thread::sleep_for(600ms);
  }
  static bool stays_open(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 200 OK") &&
           answer.find("Connection: close") == std::string::npos;
  }
  static bool closes_behind(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 200 OK") &&
           answer.find("Connection: close") != std::string::npos;
  }

  FakeUpstream upstream_{echo};
  std::atomic<std::uint64_t> used_{0};
  FakeVault vault_;
  std::unique_ptr<Server> server_;
};

TEST_F(Shedding, AboveNinetyFivePercentWhatRestsGoesAndConnectionsEndWithTheirExchange) {
  Peer resting = connect();
  EXPECT_TRUE(stays_open(ask(resting)));
  Peer in_the_midst = connect();
  in_the_midst.write("GET / HTTP/1.1\r\nHo");
  fill(950'000);
  EXPECT_TRUE(stays_open(ask(resting))) << "exactly 95 % is not above";
  fill(950'001);
  EXPECT_TRUE(resting.closes(5s));
  in_the_midst.write("st: a\r\n\r\n");
  EXPECT_TRUE(closes_behind(in_the_midst.read_message()));
  EXPECT_TRUE(in_the_midst.closes(5s));
  // Newcomers are served.
  Peer next = connect();
  EXPECT_TRUE(closes_behind(ask(next)));
  fill(100);
  Peer later = connect();
  EXPECT_TRUE(stays_open(ask(later)));
  EXPECT_TRUE(stays_open(ask(later)));
}

TEST_F(Shedding, AboveNinetyEightPercentNothingNewIsTaken) {
  Peer before = connect();
  before.write("GET / HTTP/1.1\r\nHo");
  std::this_thread::sleep_for(300ms);
  fill(980'001);
  Peer client = connect();
  client.write(kGet);
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 503 "));
  before.write("st: a\r\n\r\n");
  EXPECT_TRUE(before.read_all().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(upstream_.connections(), 0);
  fill(100);
  Peer later = connect();
  EXPECT_TRUE(stays_open(ask(later)));
}

}  // namespace
}  // namespace paravent::proxy::net
