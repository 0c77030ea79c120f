// Whoever lets the gateway wait is given up: a client that sends no PROXY header, one whose body
// takes too long, one that reads nothing, and an application that nobody reaches. (A head and a
// body that are too slow: server_test.cc. An application that does not answer: upstream_test.cc.)

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

bool within(std::chrono::milliseconds patience, const std::atomic<bool>& happens) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!happens && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(20ms);
  return happens;
}

TEST(TimeLimits, ABodyThatKeepsItsPaceIsWaitedForSoLongAndNoLonger) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.body_rate = 0;  // no pace is slow enough
  limits.body_total_ms = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 40; ++i) {
    client.write("x");
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(status_of(client.read_all()), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(gateway.refusals(Reason::timeout), 1U);
  EXPECT_EQ(upstream.connections(), 0);
}

// The application is not kept behind such a client either.
TEST(TimeLimits, AClientThatReadsNothingIsGivenUp) {
  constexpr std::size_t kSize = std::size_t{64} << 20U;  // more than all socket buffers take
  std::atomic<bool> let_go{false};
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    peer.write(std::string(kSize, 'x'));
    let_go = true;
  });
  Limits limits;
  limits.write_ms = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(within(20s, let_go));
  const std::string answer = client.read_all();
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
  EXPECT_LT(answer.size(), kSize) << "what it got must not look whole";
  EXPECT_TRUE(client.was_reset()) << "nothing waits in the kernel for who is given up";
}

TEST(TimeLimits, AClientThatReadsSlowlyButReadsIsServed) {
  constexpr std::size_t kSize = std::size_t{24} << 20U;
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    peer.write(std::string(kSize, 'x'));
  });
  Limits limits;
  limits.write_ms = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  // Three pauses that are shorter than what it is given.
  std::string answer = client.read_until("\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(500ms);
    answer += client.read_some();
  }
  answer += client.read_all();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, kSize);
}

TEST(TimeLimits, AConnectionWithoutItsProxyHeaderIsClosed) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.header_ms = 500;
  FakeVault vault;
  ServerOptions options;
  options.listen = {{"127.0.0.1", 0, true}};
  options.workers = 1;
  options.vault = &vault;
  options.trusted_proxies = {*IpRange::parse("127.0.0.0/8")};
  const auto server = Server::start(options, snapshot_of(policy_text(upstream.port()), limits));
  ASSERT_TRUE(server);
  Peer silent = Peer::connect((*server)->ports().at(0));
  Peer half = Peer::connect((*server)->ports().at(0));
  half.write("PROXY TCP4 192.0.2.1");
  EXPECT_TRUE(silent.closes(10s));
  EXPECT_TRUE(half.closes(10s));
}

// A listening socket whose queue is full takes no connection and refuses none.
class FullListener {
 public:
  FullListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_.get(), 0), 0);
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {
      UniqueFd waiting(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(waiting.get(), reinterpret_cast<sockaddr*>(&address), size);
      waiting_.push_back(std::move(waiting));
    }
  }
  std::uint16_t port() const noexcept { return port_; }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
  std::vector<UniqueFd> waiting_;
};

TEST(TimeLimits, AnApplicationThatNobodyReachesIsGivenUp) {
  const FullListener application;
  Limits limits;
  limits.connect_ms = 500;
  limits.upstream_ms = 60'000;
  Gateway gateway(application.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(gateway.connects(), 1U);
}

}  // namespace
}  // namespace paravent::proxy::net
