// What applications do to a gateway: die, lie, dawdle; and what may be repeated.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr const char* kHead = "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr const char* kPost =
    "POST /elsewhere HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello";

std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Answers the n-th request of each connection with these bytes, then closes if asked.
FakeUpstream::Serve scripted(std::string answer, bool close_after) {
  return [answer = std::move(answer), close_after](Peer& peer, int) {
    while (!peer.read_message().empty()) {
      peer.write(answer);
      if (close_after) {
        peer.close();
        return;
      }
    }
  };
}

std::string answer_through(const std::string& upstream_answer, const std::string& request,
                           bool close_after = true) {
  FakeUpstream upstream(scripted(upstream_answer, close_after));
  Limits limits;
  limits.upstream_ms = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write(request);
  client.shut_writing();
  return client.read_all();
}

TEST(Upstream, DownIs502) {
  Gateway gateway(closed_port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 0; i < 3; ++i) {
    client.write(kGet);
    EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 502 Bad Gateway");
  }
  EXPECT_EQ(gateway.refusals(Reason::upstream_failed), 3U);
}

TEST(Upstream, GarbageIs502) {
  for (const char* garbage :
       {"garbage\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "",
        "HTTP/1.1 200", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
    EXPECT_EQ(status_of(answer_through(garbage, kGet)), "HTTP/1.1 502 Bad Gateway") << garbage;
  }
  const std::string huge = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n";
  EXPECT_EQ(status_of(answer_through(huge, kGet)), "HTTP/1.1 502 Bad Gateway");
  std::string flood;
  for (int i = 0; i < 20; ++i) flood += "HTTP/1.1 103 Early Hints\r\n\r\n";
  EXPECT_EQ(status_of(answer_through(flood + "HTTP/1.1 204 No\r\n\r\n", kGet)),
            "HTTP/1.1 502 Bad Gateway");
}

TEST(Upstream, AnAnswerCutShortEndsTheClientsConnectionUncleanly) {
  // A length that is not met, so that the client sees that something is missing.
  const std::string cut =
      answer_through("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", kGet);
  EXPECT_TRUE(has(cut, "Content-Length: 10\r\n"));
  EXPECT_FALSE(cut.ends_with("hello     "));
  EXPECT_EQ(cut.find("HTTP/1.1 ", 1), std::string::npos);
  const std::string chunked =
      answer_through("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", kGet);
  EXPECT_TRUE(has(chunked, "hello"));
  EXPECT_FALSE(chunked.ends_with("0\r\n\r\n"));
}

// Where the connection's end is the answer's, a part of it must not come to a clean end.
TEST(Upstream, AnAnswerCutShortResetsTheConnectionOfAnOldClient) {
  const std::pair<std::string, bool> cases[] = {
      {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
      {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true},
      {"Content-Length: 5\r\n\r\nhello", true},
      {"Server: x\r\n\r\nhello", true},
  };
  for (const auto& [framing, whole] : cases) {
    FakeUpstream upstream([&framing = framing](Peer& peer, int) {
      peer.read_message();
      // In two pieces, or a short answer would get a length.
      const std::string answer = "HTTP/1.1 200 OK\r\n" + framing;
      peer.write(answer.substr(0, answer.size() - 6));
      std::this_thread::sleep_for(20ms);
      peer.write(answer.substr(answer.size() - 6));
      peer.close();
    });
    Gateway gateway(upstream.port());
    Peer client = Peer::connect(gateway.port());
    client.write("GET / HTTP/1.0\r\nHost: a.example\r\n\r\n");
    const std::string answer = client.read_all();
    EXPECT_EQ(client.was_reset(), !whole) << framing;
    if (whole) {
      EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
    }
  }
}

TEST(Upstream, AnswersOfEveryFramingArriveWhole) {
  EXPECT_TRUE(
      answer_through("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", kGet).ends_with("hello"));
  EXPECT_TRUE(has(answer_through("HTTP/1.1 200 OK\r\n\r\nhello", kGet), "hello"));
  const std::string chunked = answer_through(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      kGet);
  EXPECT_TRUE(has(chunked, "hello world"));
  const std::string empty = answer_through("HTTP/1.1 204 No Content\r\n\r\n", kGet);
  EXPECT_EQ(status_of(empty), "HTTP/1.1 204 No Content");
  EXPECT_FALSE(has(empty, "Content-Length"));
  const std::string head = answer_through("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", kHead);
  EXPECT_TRUE(has(head, "Content-Length: 5\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST(Upstream, AnswersInSingleBytesArriveWhole) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_message();
    const std::string answer =
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n"
        "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
    for (const char c : answer) {
      peer.write({&c, 1});
      std::this_thread::sleep_for(1ms);
    }
    peer.read_all();
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(kGet);
  const std::string answer = client.read_until("0\r\n\r\n");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
  EXPECT_FALSE(has(answer, "103"));
  std::string letters;
  for (const char c : answer.substr(answer.find("\r\n\r\n"))) {
    if ((c >= 'a' && c <= 'z') || c == '!') letters += c;
  }
  EXPECT_EQ(letters, "hello!");
}

TEST(Upstream, AHeadOfMoreThanOneBlockIsRead) {
  const std::string large(40'000, 'a');
  const std::string answer =
      answer_through("HTTP/1.1 200 OK\r\nX: " + large + "\r\nContent-Length: 5\r\n\r\nhello", kGet);
  EXPECT_TRUE(has(answer, large));
  EXPECT_TRUE(answer.ends_with("hello"));
}

TEST(Upstream, SilenceIs504) {
  FakeUpstream upstream([](Peer& peer, int) { peer.read_all(); });
  Limits limits;
  limits.upstream_ms = 300;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write(kGet);
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 504 Gateway Timeout");
}

// Its heads are good, and each answer breaks behind its own: that is no answer either.
TEST(Upstream, ATargetThatBreaksBehindItsHeadsOpensItsCircuit) {
  std::atomic<int> asked{0};
  std::atomic<bool> breaks{true};
  FakeUpstream upstream([&](Peer& peer, int) {
    while (!peer.read_message().empty()) {
      ++asked;
      peer.write(breaks ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
                        : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  Gateway gateway(upstream.port());
  const auto ask = [&] {
    Peer client = Peer::connect(gateway.port());
    client.write(kGet);
    client.shut_writing();
    return client.read_all();
  };
  constexpr int kTrip = static_cast<int>(UpstreamCircuit::kTrip);
  for (int i = 1; i < kTrip; ++i) ask();
  // A whole answer in between, and they count anew.
  breaks = false;
  EXPECT_EQ(status_of(ask()), "HTTP/1.1 200 OK");
  breaks = true;
  for (int i = 0; i < 3 * kTrip; ++i) ask();
  EXPECT_EQ(asked, 2 * kTrip) << "so many until it opened, and nobody is sent there afterwards";
}

TEST(Upstream, ExtraBytesAfterAnAnswerCostTheConnection) {
  FakeUpstream upstream(
      scripted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"
               "Content-Length: 6\r\n\r\npoison",
               false));
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 0; i < 3; ++i) {
    client.write(kGet);
    EXPECT_TRUE(client.read_message().ends_with("\r\n\r\nhello"));
  }
  EXPECT_EQ(upstream.connections(), 3);
}

TEST(Upstream, UnsolicitedBytesWhileIdleCostTheConnection) {
  std::atomic<int> closed{0};
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_message();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    std::this_thread::sleep_for(30ms);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    if (peer.closes(60s)) ++closed;
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 1; i <= 3; ++i) {
    client.write(kGet);
    EXPECT_TRUE(client.read_message().ends_with("\r\n\r\nhello"));
    for (int wait = 0; wait < 6000 && closed < i; ++wait) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(closed, i);
  }
  EXPECT_EQ(upstream.connections(), 3);
}

TEST(Upstream, AConnectionThatClosedWhileIdleIsNotUsed) {
  std::atomic<int> closed{0};
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_message();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    peer.close();
    ++closed;
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 0; i < 6; ++i) {
    client.write(i % 2 == 0 ? kGet : kPost);
    EXPECT_TRUE(client.read_message().ends_with("\r\n\r\nhello"));
    // It is told of the close before it is told of what comes next.
    while (closed <= i) std::this_thread::sleep_for(1ms);
  }
}

// A pooled connection that dies under a request: repeated once where that is safe.
TEST(Upstream, OnlyWhatMayBeRepeatedIsRepeated) {
  const auto dies_on_second = [](Peer& peer, int connection) {
    peer.read_message();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    if (connection == 1) {
      peer.read_message();
      peer.reset();
      return;
    }
    peer.read_all();
  };
  for (const bool may_repeat : {true, false}) {
    FakeUpstream upstream(dies_on_second);
    Gateway gateway(upstream.port());
    Peer client = Peer::connect(gateway.port());
    client.write(kGet);
    EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
    client.write(may_repeat ? kGet : kPost);
    EXPECT_EQ(status_of(client.read_message()),
              may_repeat ? "HTTP/1.1 200 OK" : "HTTP/1.1 502 Bad Gateway");
    EXPECT_EQ(upstream.connections(), may_repeat ? 2 : 1);
  }
}

TEST(Upstream, AFreshConnectionThatDiesIsNotRepeated) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_message();
    peer.reset();
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(kGet);
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(upstream.connections(), 1);
}

TEST(Upstream, AnEarlyAnswerIsPassedOnAndItsConnectionClosed) {
  std::atomic<bool> answered = false;
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_until("\r\n\r\n");
    peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    // Closing with bytes unread is a reset, which must not overtake the answer.
    while (!answered) std::this_thread::sleep_for(1ms);
    peer.close();
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  const std::string body(6'000'000, 'x');
  client.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string answer = client.read_message();
  answered = true;
  EXPECT_EQ(status_of(answer), "HTTP/1.1 413 Content Too Large");
  EXPECT_TRUE(answer.ends_with("no"));
  client.write(kGet);
  client.read_message();
  EXPECT_EQ(upstream.connections(), 2);
}

TEST(Upstream, ManyClientsShareFewConnections) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port(), {}, 2);
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      Peer client = Peer::connect(gateway.port());
      for (int i = 0; i < 100; ++i) {
        const std::string mark = "/c" + std::to_string(c) + "-" + std::to_string(i);
        client.write("GET " + mark + " HTTP/1.1\r\nHost: a\r\n\r\n");
        if (has(client.read_message(), "GET " + mark + " ")) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 800);
  EXPECT_LE(upstream.connections(), 8);
}

}  // namespace
}  // namespace paravent::proxy::net
