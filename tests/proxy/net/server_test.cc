// The data path over real sockets: clients, the gateway, an application behind it.

#include "proxy/net/server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/read_block.h"
#include "tests/proxy/net/case_file.h"
#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a.example\r\n" + more + "\r\n";
}

std::string post(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path +
         " HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
         more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string status_of(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Server, KeepsBothConnectionsAlive) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 0; i < 20; ++i) {
    client.write(get("/page?n=" + std::to_string(i)));
    const std::string answer = client.read_message();
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
    EXPECT_TRUE(has(answer, "GET /page?n=" + std::to_string(i) + " HTTP/1.1\r\n")) << answer;
    EXPECT_FALSE(has(answer, "Connection: close"));
  }
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_EQ(gateway.connects(), 1U);
}

TEST(Server, ProtectsAFormAndShowsNoClearValueToTheApplication) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  for (int i = 0; i < 3; ++i) {
    client.write(
        post("/contact", "email=jane%40example.org&name=Jane&message=Hello+there,+gateway"));
    const std::string answer = client.read_message();
    ASSERT_EQ(status_of(answer), "HTTP/1.1 200 OK") << answer;
    EXPECT_TRUE(has(answer, "email=pvd1")) << answer;
    EXPECT_TRUE(has(answer, "name=pvv1"));
    EXPECT_TRUE(has(answer, "message=pve_"));
    EXPECT_FALSE(has(answer, "example.org"));
    EXPECT_FALSE(has(answer, "Hello there") || has(answer, "Hello+there"));
  }
}

// Nothing may be left unheard at the end of the head, nor a body of one byte behind it, nor what
// makes it a bad head.
TEST(Server, HeadsThatComeInDropsAreAnswered) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  const std::string head =
      "POST /plain HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: 1\r\n\r\n";
  for (int round = 0; round < 2; ++round) {
    for (const char letter : head) {
      client.write(std::string(1, letter));
      std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(5ms);
    client.write("x");
    EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
    const std::string page = get("/page");
    for (const std::size_t left : {0U, 1U, 2U, 3U}) {
      client.write(page.substr(0, 4));
      std::this_thread::sleep_for(5ms);
      client.write(page.substr(4, page.size() - 4 - left));
      std::this_thread::sleep_for(5ms);
      if (left > 0) client.write(page.substr(page.size() - left));
      EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK") << left;
    }
  }
  for (const char letter :
       std::string_view("GET /page HTTP/1.1\r\nHost: a.example\r\n Folded: 1\r\n\r\n")) {
    client.write(std::string(1, letter));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 400 Bad Request");
}

TEST(Server, BodiesArriveInAnySegmentation) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  const std::string request = post("/contact", "email=jane%40example.org&name=Jane&message=x");
  for (std::size_t cut = 1; cut < request.size(); cut += 7) {
    Peer client = Peer::connect(gateway.port());
    client.write(request.substr(0, cut));
    std::this_thread::sleep_for(2ms);
    client.write(request.substr(cut));
    EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK") << cut;
  }
}

TEST(Server, LargeAndChunkedBodiesPassUnchanged) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  std::string body;
  for (int i = 0; body.size() < 300'000; ++i) body += std::to_string(i) + ",";
  client.write(post("/elsewhere", body));
  EXPECT_TRUE(client.read_message().ends_with("\r\n\r\n" + body));

  std::string chunks;
  for (std::size_t at = 0; at < body.size(); at += 1000) {
    const std::string piece = body.substr(at, 1000);
    char head[16];
    std::snprintf(head, sizeof head, "%zx\r\n", piece.size());
    chunks += head + piece + "\r\n";
  }
  client.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
               chunks + "0\r\n\r\n");
  const std::string answer = client.read_message();
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
  // Our own framing, not the client's.
  EXPECT_TRUE(has(answer, "Content-Length: " + std::to_string(body.size()) + "\r\n"));
  EXPECT_FALSE(has(answer, "chunked"));
  client.write(get("/after"));
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  std::string all;
  for (int i = 0; i < 300; ++i) {
    all +=
        i % 3 == 2 ? post("/elsewhere", "n=" + std::to_string(i)) : get("/n" + std::to_string(i));
  }
  client.write(all);
  for (int i = 0; i < 300; ++i) {
    const std::string answer = client.read_message();
    ASSERT_EQ(status_of(answer), "HTTP/1.1 200 OK") << i;
    EXPECT_TRUE(i % 3 == 2 ? answer.ends_with("n=" + std::to_string(i))
                           : has(answer, "GET /n" + std::to_string(i) + " "));
  }
}

TEST(Server, PipelinedRefusalsUseOneStackFrame) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.requests_per_connection = 100'000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  std::string all;
  constexpr int kMany = 2000;
  for (int i = 0; i < kMany; ++i) all += "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::thread writer([&] { client.write(all + get("/end")); });
  for (int i = 0; i < kMany; ++i)
    ASSERT_EQ(status_of(client.read_message()).substr(0, 10), "HTTP/1.1 4") << i;
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
  writer.join();
}

TEST(Server, ARefusalEndsThePipelineAndTheConnection) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(get("/first") + "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + get("/never"));
  const std::string answers = client.read_all();
  EXPECT_TRUE(has(answers, "GET /first "));
  EXPECT_TRUE(has(answers, "HTTP/1.1 400 "));
  EXPECT_FALSE(has(answers, "/never"));
  EXPECT_FALSE(has(answers, "<timeout>"));
  EXPECT_EQ(gateway.refusals(Reason::framing), 1U);
}

// Every refused case of the catalogue over a socket: its status, and not a byte at the application.
TEST(Server, NothingRefusedReachesTheApplication) {
  std::atomic<int> bytes_seen{0};
  FakeUpstream upstream([&](Peer& peer, int) {
    const std::string request = peer.read_message();
    bytes_seen += static_cast<int>(request.size());
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  Gateway gateway(upstream.port());
  std::size_t refused = 0;
  for (const Case& one : read_cases("tests/proxy/net/cases")) {
    if (!one.outcome.starts_with("refused ")) continue;
    SCOPED_TRACE(one.file + ": " + one.name);
    ++refused;
    Peer client = Peer::connect(gateway.port());
    client.write(one.bytes);
    const std::string answer = client.read_all();
    EXPECT_TRUE(has(answer, "\"reason\":\"" + one.outcome.substr(8) + "\"")) << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\n"));
    EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << "one answer only";
  }
  EXPECT_GT(refused, 180U);
  EXPECT_EQ(bytes_seen, 0);
  EXPECT_EQ(gateway.connects(), 0U);
}

TEST(Server, SlowHeadersAndBodiesTimeOut) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.header_ms = 1000;
  limits.idle_ms = 1000;
  limits.body_grace_ms = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer head = Peer::connect(gateway.port());
  head.write("GET / HTTP/1.1\r\nHos");
  Peer body = Peer::connect(gateway.port());
  body.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  Peer idle = Peer::connect(gateway.port());
  EXPECT_EQ(status_of(head.read_all()), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(status_of(body.read_all()), "HTTP/1.1 408 Request Timeout");
  EXPECT_TRUE(idle.closes(60s));
  EXPECT_EQ(gateway.refusals(Reason::timeout), 2U);
}

TEST(Server, ExpectIsAnsweredByTheGatewayAndNotForwarded) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(
      "POST /elsewhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("hello");
  const std::string answer = client.read_message();
  EXPECT_TRUE(answer.ends_with("hello"));
  EXPECT_FALSE(has(answer, "Expect"));
}

TEST(Server, ALengthBeyondTheLimitIsRefusedUnread) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.form_bytes = 1000;
  limits.json_bytes = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write(
      "POST /contact HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1001\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_EQ(status_of(answer), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << "exactly one final status";

  Peer chunked = Peer::connect(gateway.port());
  chunked.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                std::string(1001, 'x'));
  EXPECT_EQ(status_of(chunked.read_all()), "HTTP/1.1 413 Content Too Large");
}

TEST(Server, AnEarlyRefusalCanBeReadByAClientThatGoesOnSending) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.json_bytes = 1000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  client.write("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  client.write(std::string(2'000'000, 'x'));
  EXPECT_EQ(status_of(client.read_all()), "HTTP/1.1 413 Content Too Large");
}

TEST(Server, ClosesAfterTheLastAllowedRequest) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.requests_per_connection = 3;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  for (int i = 1; i <= 3; ++i) {
    client.write(get("/"));
    EXPECT_EQ(has(client.read_message(), "Connection: close"), i == 3);
  }
  EXPECT_TRUE(client.closes(60s));
}

TEST(Server, VaultAnswersComeBackToTheRightExchange) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.resolve_ms = 2000;
  Gateway gateway(upstream.port(), limits);
  gateway.vault.delay_ms = 2700;
  Peer client = Peer::connect(gateway.port());
  client.write(post("/contact", "name=Jane"));
  EXPECT_TRUE(has(client.read_message(), "\"reason\":\"store-unavailable\""));
  gateway.vault.delay_ms = 0;
  // The late answer of the first exchange arrives while the second one is under way, or after it.
  for (int i = 0; i < 5; ++i) {
    client.write(post("/contact", "name=Jane"));
    EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
    std::this_thread::sleep_for(200ms);
  }
}

TEST(Server, AClientMayCloseItsSideAfterTheRequest) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_message();
    std::this_thread::sleep_for(100ms);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    peer.read_all();
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(get("/"));
  client.shut_writing();
  EXPECT_TRUE(client.read_all().ends_with("hi"));
}

TEST(Server, AClientThatResetsTakesItsUpstreamExchangeWithIt) {
  std::atomic<bool> upstream_saw_end{false};
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_message();
    upstream_saw_end = peer.closes(60s);
  });
  {
    Gateway gateway(upstream.port());
    Peer client = Peer::connect(gateway.port());
    client.write(get("/"));
    while (upstream.connections() == 0) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(50ms);
    client.reset();
    for (int i = 0; i < 6000 && gateway.server->open_connections() > 0; ++i) {
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(gateway.server->open_connections(), 0U);
    for (int i = 0; i < 6000 && !upstream_saw_end; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(upstream_saw_end);
  }
}

TEST(Server, ASlowReaderGetsEverything) {
  const std::string body(8'000'000, 'z');
  FakeUpstream upstream([&](Peer& peer, int) {
    peer.read_message();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
               body);
    peer.read_all();
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  client.write(get("/"));
  std::this_thread::sleep_for(300ms);
  const std::string answer = client.read_message();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, body.size());
}

// Short answers leave behind the events under way, when their exchange has ended already: one that
// the socket does not take must still arrive whole, and nothing be answered before it.
TEST(Server, ShortAnswersThatNobodyReadsArriveWholeAndInOrder) {
  std::atomic<int> served{0};
  FakeUpstream upstream([&](Peer& peer, int) {
    while (!peer.read_message().empty()) {
      const std::string number = std::to_string(++served);
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 3800\r\n\r\n" +
                 std::string(3800 - number.size(), '.') + number);
    }
  });
  Limits limits;
  limits.requests_per_connection = 100'000;
  Gateway gateway(upstream.port(), limits);
  Peer client = Peer::connect(gateway.port());
  int sent = 0;
  for (bool blocked = false; !blocked && sent < 20'000;) {
    client.write(get("/"));
    ++sent;
    for (int i = 0; served < sent && !blocked; ++i) {
      std::this_thread::sleep_for(i < 10 ? 50us : 1ms);
      blocked = i == 500;
    }
  }
  ASSERT_LT(sent, 20'000) << "the socket never filled";
  for (int i = 1; i <= sent; ++i) {
    const std::string answer = client.read_message();
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << i;
    ASSERT_TRUE(answer.ends_with("." + std::to_string(i))) << i;
  }
}

// A client that is gone when its answer's turn comes takes nothing else with it.
TEST(Server, AClientThatResetsBeforeItsShortAnswerLeavesTheOthersAlone) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  Peer other = Peer::connect(gateway.port());
  for (int i = 0; i < 200; ++i) {
    Peer client = Peer::connect(gateway.port());
    client.write(get("/"));
    other.write(get("/other"));
    client.reset();
    EXPECT_EQ(status_of(other.read_message()), "HTTP/1.1 200 OK");
  }
}

// What is read ahead for a batch of events goes to the exchange it was sent for, also where clients
// leave in between and others come in their place.
TEST(Server, ManyAtOnceEachGetTheirOwnAnswer) {
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  std::vector<Peer> clients;
  for (int i = 0; i < 150; ++i) clients.push_back(Peer::connect(gateway.port()));
  for (int round = 0; round < 20; ++round) {
    const auto path = [round](std::size_t i) {
      return "/r" + std::to_string(round) + "/c" + std::to_string(i);
    };
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i].write(get(path(i)));
    for (std::size_t i = 0; i < clients.size(); i += 3) {
      clients[i].reset();
      clients[i] = Peer::connect(gateway.port());
      clients[i].write(get(path(i) + "/again"));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string answer = clients[i].read_message();
      ASSERT_EQ(status_of(answer), "HTTP/1.1 200 OK") << path(i);
      ASSERT_TRUE(has(answer, "GET " + path(i) + (i % 3 == 0 ? "/again" : "") + " ")) << answer;
    }
  }
}

// A request that fills the block to its last byte leaves no room for the next one behind it.
TEST(Server, ABlockFilledToItsEndIsNotTheEndOfTheStream) {
  FakeUpstream upstream([](Peer& peer, int) {
    while (!peer.read_message().empty()) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  Gateway gateway(upstream.port());
  for (const std::size_t shorter : {0U, 1U, 2U}) {
    Peer client = Peer::connect(gateway.port());
    std::string filling = post("/elsewhere", std::string(10'000, 'x'));
    const std::size_t size = ReadBlockPool::kUsualBytes - shorter;
    filling = post("/elsewhere", std::string(10'000 + size - filling.size(), 'x'));
    ASSERT_EQ(filling.size(), size);
    client.write(filling + get("/second") + get("/third"));
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK") << shorter << ' ' << i;
    }
  }
}

TEST(Server, BeyondTheConnectionLimitItSaysSo) {
  FakeUpstream upstream(echo);
  Limits limits;
  limits.connections = 2;
  Gateway gateway(upstream.port(), limits);
  Peer first = Peer::connect(gateway.port());
  Peer second = Peer::connect(gateway.port());
  first.write(get("/"));
  second.write(get("/"));
  EXPECT_EQ(status_of(first.read_message()), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_of(second.read_message()), "HTTP/1.1 200 OK");
  Peer third = Peer::connect(gateway.port());
  const std::string answer = third.read_all();
  EXPECT_EQ(status_of(answer), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(has(answer, "Retry-After: "));
  first.close();
  for (int i = 0; i < 6000 && gateway.server->open_connections() > 1; ++i)
    std::this_thread::sleep_for(10ms);
  Peer fourth = Peer::connect(gateway.port());
  fourth.write(get("/"));
  EXPECT_EQ(status_of(fourth.read_message()), "HTTP/1.1 200 OK");
}

TEST(Server, DrainFinishesWhatIsUnderWay) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_message();
    std::this_thread::sleep_for(300ms);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    peer.read_all();
  });
  Gateway gateway(upstream.port());
  Peer idle = Peer::connect(gateway.port());
  Peer busy = Peer::connect(gateway.port());
  busy.write(get("/"));
  while (upstream.connections() == 0) std::this_thread::sleep_for(1ms);
  bool drained = false;
  std::thread drainer([&] { drained = gateway.server->drain(); });
  EXPECT_TRUE(idle.closes(60s));
  EXPECT_TRUE(busy.read_all().ends_with("hi"));
  drainer.join();
  EXPECT_TRUE(drained);
  EXPECT_THROW(Peer::connect(gateway.port()), std::runtime_error);
}

TEST(Server, DrainIsBounded) {
  FakeUpstream upstream([](Peer& peer, int) {
    peer.read_message();
    peer.read_all();
  });
  Limits limits;
  limits.drain_ms = 200;
  Gateway gateway(upstream.port(), limits);
  Peer stuck = Peer::connect(gateway.port());
  stuck.write(get("/"));
  while (upstream.connections() == 0) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(gateway.server->drain());
  gateway.server->stop();
  EXPECT_TRUE(stuck.closes(60s));
  EXPECT_EQ(gateway.server->open_connections(), 0U);
}

TEST(Server, PublishChangesUpstreamsForNewRequestsAndKeepsCountersOfAPlan) {
  FakeUpstream first([](Peer& peer, int) {
    while (!peer.read_message().empty())
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
  });
  FakeUpstream second([](Peer& peer, int) {
    while (!peer.read_message().empty())
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
  });
  Gateway gateway(first.port(), {}, 2);
  Peer client = Peer::connect(gateway.port());
  client.write(get("/"));
  EXPECT_TRUE(client.read_message().ends_with("one"));
  const auto counters = gateway.server->states().at(0)->counters;
  ASSERT_TRUE(gateway.server->publish(snapshot_of(policy_text(second.port()))));
  EXPECT_NE(gateway.server->states().at(0)->counters, counters);
  client.write(get("/"));
  EXPECT_TRUE(client.read_message().ends_with("two"));

  auto same_plan = std::make_shared<Snapshot>();
  const auto before = gateway.server->states().at(0);
  same_plan->plan = before->snapshot->plan;
  same_plan->keys_available = false;
  ASSERT_TRUE(gateway.server->publish(same_plan));
  EXPECT_EQ(gateway.server->states().at(0)->counters, before->counters);
  client.write(post("/contact", "name=Jane"));
  EXPECT_TRUE(has(client.read_message(), "\"reason\":\"sealed\""));
}

TEST(Server, ABusyPortIsOneClearError) {
  FakeUpstream upstream(echo);
  for (const std::uint32_t workers : {1U, 2U}) {
    Gateway gateway(upstream.port(), {}, workers);
    for (const std::uint32_t others : {1U, 2U}) {
      ServerOptions options;
      options.listen = {{"127.0.0.1", gateway.port()}};
      options.workers = others;
      options.vault = &gateway.vault;
      const auto second = Server::start(options, snapshot_of(policy_text(upstream.port())));
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().kind(), crypto::ErrorKind::busy);
      EXPECT_TRUE(has(second.error().sentence(), std::to_string(gateway.port())));
    }
  }
}

TEST(Server, AnUpstreamThatIsOurselvesIsRefused) {
  FakeVault vault;
  for (const std::string listen : {"127.0.0.1", "0.0.0.0", "::"}) {
    const std::uint16_t port = closed_port();
    ServerOptions options;
    options.listen = {{listen, port}};
    options.workers = 1;
    options.vault = &vault;
    const auto server = Server::start(options, snapshot_of(policy_text(port)));
    ASSERT_FALSE(server) << listen;
    EXPECT_EQ(server.error().kind(), crypto::ErrorKind::configuration);
  }
  FakeUpstream upstream(echo);
  Gateway gateway(upstream.port());
  const auto published = gateway.server->publish(snapshot_of(policy_text(gateway.port())));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().kind(), crypto::ErrorKind::configuration);
  Peer client = Peer::connect(gateway.port());
  client.write(get("/"));
  EXPECT_EQ(status_of(client.read_message()), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace paravent::proxy::net
