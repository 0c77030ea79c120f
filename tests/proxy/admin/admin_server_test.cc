// The admin listener over real sockets: what the handler gets, and what never reaches it.

#include "proxy/admin/admin_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::admin {
namespace {

class Recorder final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest& request) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    AdminResponse response(201, "text/plain", "got " + request.body);
    response.headers.emplace_back("X-Test", "1");
    return response;
  }
  std::vector<AdminRequest> all() {
    const std::lock_guard lock(mutex_);
    return requests;
  }

 private:
  std::mutex mutex_;
  std::vector<AdminRequest> requests;
};

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    options_.port = 0;
    options_.threads = 2;
    options_.header_bytes = 2048;
    options_.body_bytes = 4096;
    options_.connections = 4;
    server_ = AdminServer::start(options_, handler_).value();
  }
  std::string once(const std::string& request) {
    net::Peer peer = net::Peer::connect(server_->port());
    peer.write(request);
    peer.shut_writing();
    return peer.read_all();
  }

  AdminServerOptions options_;
  Recorder handler_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, HandsTheRequestOver) {
  net::Peer peer = net::Peer::connect(server_->port());
  for (int i = 0; i < 2; ++i) {
    peer.write(
        "POST /v1/x?a=b?c HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n"
        "Content-Type: application/json\r\nContent-Length: 4\r\n\r\nbody");
    const std::string answer = peer.read_message();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 201 ")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\ngot body"));
    EXPECT_NE(answer.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_NE(answer.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
    EXPECT_NE(answer.find("X-Test: 1\r\n"), std::string::npos);
  }
  const auto requests = handler_.all();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].method + " " + requests[1].path + " " + requests[1].query,
            "POST /v1/x a=b?c");
  EXPECT_EQ(requests[1].authorization, "Bearer t");
  EXPECT_EQ(requests[1].content_type, "application/json");
  EXPECT_EQ(requests[1].body, "body");
  EXPECT_TRUE(requests[1].from_loopback);
}

// Whatever the answer: bytes behind the head would be the next answer's.
TEST_F(AdminServerTest, HeadIsAnsweredWithoutABody) {
  net::Peer peer = net::Peer::connect(server_->port());
  peer.write(
      "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string both = peer.read_all();
  const std::size_t end = both.find("\r\n\r\n");
  ASSERT_NE(end, std::string::npos);
  const std::string head = both.substr(0, end + 2);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 201 ")) << head;
  EXPECT_NE(head.find("Content-Length: 4\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("X-Test: 1\r\n"), std::string::npos) << head;
  EXPECT_TRUE(both.substr(end + 4).starts_with("HTTP/1.1 201 ")) << both;
  EXPECT_TRUE(both.ends_with("\r\n\r\ngot ")) << both;
  const auto requests = handler_.all();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].method, "HEAD");
}

TEST_F(AdminServerTest, BoundsOnEverything) {
  const std::string declared =
      once("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n" + std::string(4097, 'x'));
  EXPECT_TRUE(declared.starts_with("HTTP/1.1 413 ")) << declared;
  EXPECT_NE(declared.find("application/problem+json"), std::string::npos);
  const std::string chunked =
      once("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n" +
           std::string(4097, 'x') + "\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.starts_with("HTTP/1.1 413 ")) << chunked;
  const std::string head =
      once("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(3000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 431 ")) << head;
  for (const char* garbage :
       {"\x16\x03\x01\x02 hello", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
    EXPECT_TRUE(once(garbage).starts_with("HTTP/1.1 400 ")) << garbage;
  }
  EXPECT_TRUE(handler_.all().empty());
  // And the server still serves.
  EXPECT_TRUE(once("GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 201 "));
}

TEST_F(AdminServerTest, NoMoreConnectionsThanAllowed) {
  std::vector<net::Peer> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(net::Peer::connect(server_->port()));
    peers.back().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(peers.back().read_message(), "");
  }
  net::Peer fifth = net::Peer::connect(server_->port());
  EXPECT_TRUE(fifth.closes(std::chrono::seconds(60)));
  peers.clear();
  // Their places are free again, soon.
  bool served = false;
  for (int i = 0; i < 6000 && !served; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    net::Peer next = net::Peer::connect(server_->port());
    next.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    served = next.read_all().starts_with("HTTP/1.1 201 ");
  }
  EXPECT_TRUE(served);
}

// Meets a folder that cannot be read, say.
class Failing final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest& /*request*/) override {
    ++calls;
    throw std::runtime_error("failed");
  }

  std::atomic<int> calls{0};
};

TEST_F(AdminServerTest, AFailureGivesItsPlaceBack) {
  Failing handler;
  const auto server = AdminServer::start(options_, handler).value();
  for (int i = 0; i < 6000 && handler.calls < 9; ++i) {
    net::Peer peer = net::Peer::connect(server->port());
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(peer.closes(std::chrono::seconds(60)));
    // Its place is free a moment after the connection is.
    if (handler.calls > 3) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(handler.calls, 9) << "more than twice as many as there are places";
}

// Answers in pieces without an end.
class Endless final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest& /*request*/) override {
    AdminResponse response;
    response.more = [this](std::string& piece) {
      piece.assign(std::size_t{1} << 20U, 'x');
      ++pieces;
      return true;
    };
    response.abandoned = [this] { told.set_value(++tellings); };
    return response;
  }

  std::atomic<int> pieces{0};
  std::atomic<int> tellings{0};
  std::promise<int> told;
};

// Whoever hangs up half-way, and whoever does not read on until the server ends: said once, and
// nothing more is made.
TEST_F(AdminServerTest, TellsAnAnswerThatNobodyReadsOn) {
  for (const bool hangs_up : {true, false}) {
    Endless handler;
    auto server = AdminServer::start(options_, handler).value();
    {
      net::Peer peer = net::Peer::connect(server->port());
      peer.write("GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n");
      while (handler.pieces == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (!hangs_up) server->stop();
    }
    EXPECT_EQ(handler.told.get_future().get(), 1);
    const int made = handler.pieces;
    server.reset();
    EXPECT_EQ(handler.pieces, made);
    EXPECT_EQ(handler.tellings, 1);
  }
}

TEST_F(AdminServerTest, StopEndsOpenConnections) {
  net::Peer peer = net::Peer::connect(server_->port());
  peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(peer.read_message(), "");
  server_->stop();
  server_->stop();
  server_.reset();
  EXPECT_TRUE(peer.closes(std::chrono::seconds(60)));
}

TEST_F(AdminServerTest, AddressesThatCannotBeUsed) {
  AdminServerOptions taken = options_;
  taken.port = server_->port();
  const auto second = AdminServer::start(taken, handler_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind(), crypto::ErrorKind::busy);
  EXPECT_NE(second.error().sentence().find(std::to_string(taken.port)), std::string::npos);
  AdminServerOptions foreign = options_;
  foreign.host = "192.0.2.1";
  EXPECT_EQ(AdminServer::start(foreign, handler_).error().kind(), crypto::ErrorKind::configuration);
  foreign.host = "localhost";
  EXPECT_EQ(AdminServer::start(foreign, handler_).error().kind(), crypto::ErrorKind::configuration);
}

}  // namespace
}  // namespace paravent::proxy::admin
