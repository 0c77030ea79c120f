// The choice between targets, the circuit breaker, and what the keeper does when names move.

#include "proxy/net/upstream_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/upstream_keeper.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

constexpr std::size_t kMany = 1000;

std::shared_ptr<UpstreamAddress> address_of(const std::string& host, std::uint16_t port,
                                            const std::string& ip = "127.0.0.1") {
  auto address = std::make_shared<UpstreamAddress>();
  address->key = host + " " + std::to_string(port);
  address->target.host = host;
  address->target.port = port;
  address->target.text = "http://" + host + ":" + std::to_string(port);
  address->addresses = {*socket_address({ip, port})};
  address->health = std::make_shared<UpstreamHealth>();
  return address;
}

class Group : public testing::Test {
 protected:
  Group() {
    for (std::uint16_t i = 0; i < 3; ++i) {
      hosts_.push_back(std::make_unique<UpstreamHost>("t" + std::to_string(i)));
      hosts_.back()->address = address_of("t", static_cast<std::uint16_t>(i + 1));
      group_.hosts.push_back(hosts_.back().get());
    }
  }
  UpstreamHost* choose(std::uint64_t now = 0, std::size_t most = kMany) {
    std::uint32_t tried = 0;
    return group_.choose(now, most, tried);
  }
  static void trip(UpstreamHost& host, std::uint64_t now) {
    for (unsigned i = 0; i < UpstreamCircuit::kTrip; ++i) host.failed(now);
  }

  std::vector<std::unique_ptr<UpstreamHost>> hosts_;
  UpstreamGroup group_;
};

TEST_F(Group, EqualsTakeTurnsAndTheLeastLoadedComesFirst) {
  EXPECT_EQ(choose(), hosts_[0].get());
  EXPECT_EQ(choose(), hosts_[1].get());
  EXPECT_EQ(choose(), hosts_[2].get());
  EXPECT_EQ(choose(), hosts_[0].get());
  hosts_[1]->begin(0);
  hosts_[2]->begin(0);
  hosts_[2]->begin(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(choose(), hosts_[0].get());
  hosts_[0]->begin(0);
  hosts_[0]->begin(0);
  hosts_[0]->begin(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(choose(), hosts_[1].get());
}

TEST_F(Group, EachIsTriedOnce) {
  std::uint32_t tried = 0;
  std::vector<UpstreamHost*> seen;
  for (int i = 0; i < 3; ++i) seen.push_back(group_.choose(0, kMany, tried));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(group_.choose(0, kMany, tried), nullptr);
}

TEST_F(Group, AnOpenCircuitIsTriedOnceWhenItsTimeIsOver) {
  UpstreamHost& bad = *hosts_[0];
  for (unsigned i = 1; i < UpstreamCircuit::kTrip; ++i) bad.failed(0);
  EXPECT_FALSE(bad.circuit().is_open());
  bad.circuit().answered();
  bad.circuit().completed();  // failures in a row count, no others
  for (unsigned i = 1; i < UpstreamCircuit::kTrip; ++i) bad.failed(0);
  EXPECT_FALSE(bad.circuit().is_open());
  bad.failed(100);
  EXPECT_TRUE(bad.circuit().is_open());
  for (int i = 0; i < 6; ++i) EXPECT_NE(choose(1099), &bad);
  EXPECT_EQ(choose(1100), &bad);
  EXPECT_TRUE(bad.begin(1100));
  for (int i = 0; i < 6; ++i) EXPECT_NE(choose(1100), &bad);  // one try at a time
  bad.end(true);
  bad.failed(1200);
  EXPECT_FALSE(bad.circuit().may_try(3199));
  EXPECT_TRUE(bad.circuit().may_try(3200));  // twice as long
  bad.circuit().answered();
  bad.circuit().completed();
  EXPECT_FALSE(bad.circuit().is_open());
  EXPECT_EQ(bad.statistics->trips.read(), 2U);
  std::uint64_t now = 10'000;
  trip(bad, now);
  for (int i = 0; i < 10; ++i) {
    now += UpstreamCircuit::kLongestPauseMs;
    EXPECT_TRUE(bad.circuit().may_try(now));
    bad.failed(now);
  }
}

TEST_F(Group, HeadsWithoutTheRestOfTheAnswerAreFailuresInARow) {
  UpstreamHost& bad = *hosts_[0];
  for (unsigned i = 0; i < UpstreamCircuit::kTrip; ++i) {
    EXPECT_FALSE(bad.circuit().is_open());
    bad.circuit().answered();
    bad.failed(100);
  }
  EXPECT_TRUE(bad.circuit().is_open());
  // The one that tries closes it with its head; the next that breaks opens it at once.
  EXPECT_EQ(choose(1100), &bad);
  bad.begin(1100);
  bad.circuit().answered();
  EXPECT_FALSE(bad.circuit().is_open());
  bad.end(true);
  bad.failed(1200);
  EXPECT_TRUE(bad.circuit().is_open());
  EXPECT_EQ(bad.statistics->trips.read(), 2U);
  EXPECT_TRUE(bad.circuit().may_try(2200));
  bad.circuit().answered();
  bad.circuit().completed();
  bad.failed(2300);
  EXPECT_FALSE(bad.circuit().is_open());
}

// A download that began before the circuit opened goes on: it is no try.
TEST_F(Group, AnOpenCircuitIsTriedWhileAnEarlierExchangeGoesOn) {
  UpstreamHost& bad = *hosts_[0];
  EXPECT_FALSE(bad.begin(0));
  trip(bad, 0);
  EXPECT_TRUE(bad.circuit().may_try(1000));
  EXPECT_EQ(choose(1000), &bad);
  EXPECT_NE(choose(1000, 1), &bad) << "it has as many under way as it may have";
  EXPECT_TRUE(bad.begin(1000));
  EXPECT_FALSE(bad.circuit().may_try(1000)) << "now there is one";
  bad.end(false);
  EXPECT_FALSE(bad.circuit().may_try(1000));
  // The try is answered, and what follows of its answer takes long: the next time is as the first.
  bad.circuit().answered();
  bad.circuit().completed();
  trip(bad, 2000);
  EXPECT_TRUE(bad.circuit().may_try(3000));
}

// What one worker has met, the others do not meet; and of all of them one tries.
TEST_F(Group, OneCircuitIsAllWorkers) {
  UpstreamHost& bad = *hosts_[0];
  UpstreamHost other("t0");
  other.address = bad.address;
  UpstreamGroup of_other{{&other}};
  std::uint32_t tried = 0;
  for (unsigned i = 0; i < UpstreamCircuit::kTrip; ++i) (i % 2 != 0 ? other : bad).failed(0);
  EXPECT_EQ(of_other.choose(999, kMany, tried), nullptr);
  EXPECT_FALSE(other.begin(999)) << "chosen before it opened: no try";
  other.end(false);
  EXPECT_EQ(bad.statistics->trips.read() + other.statistics->trips.read(), 1U);
  // Both choose it before either has begun.
  EXPECT_EQ(choose(1000), &bad);
  EXPECT_EQ(of_other.choose(1000, kMany, tried), &other);
  EXPECT_TRUE(bad.begin(1000));
  EXPECT_FALSE(other.begin(1000));
  other.end(false);
  tried = 0;
  EXPECT_EQ(of_other.choose(1000, kMany, tried), nullptr);
  bad.circuit().answered();
  EXPECT_EQ(of_other.choose(1000, kMany, tried), &other);
  bad.end(true);
}

// Failures, heads and whole answers from several threads: in the end a whole answer leaves it
// closed, and as many failures as trip it open it.
TEST_F(Group, ManyWorkersAtOneCircuit) {
  UpstreamCircuit& circuit = hosts_[0]->circuit();
  std::atomic<std::uint64_t> now{1};
  std::atomic<int> tries{0};
  std::atomic<bool> two_try{false};
  const auto work = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const bool is_try = circuit.may_try(now) && circuit.begin(now);
      if (is_try && ++tries > 1) two_try = true;
      circuit.failed(now += 500);
      if (is_try) {
        --tries;
        circuit.end_try();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(two_try);
  EXPECT_TRUE(circuit.is_open());
  EXPECT_TRUE(circuit.may_try(now + UpstreamCircuit::kLongestPauseMs));
  circuit.answered();
  circuit.completed();
  EXPECT_FALSE(circuit.is_open());
  for (unsigned i = 1; i < UpstreamCircuit::kTrip; ++i) EXPECT_FALSE(circuit.failed(now));
  EXPECT_TRUE(circuit.failed(now));
}

TEST_F(Group, NoneIsChosenWhenAllCircuitsAreOpen) {
  for (const auto& host : hosts_) trip(*host, 0);
  EXPECT_EQ(choose(10), nullptr);
  EXPECT_FALSE(group_.is_full(kMany));
}

TEST_F(Group, ChecksTakeATargetOutUnlessNoneIsLeft) {
  hosts_[0]->address->health->up = false;
  hosts_[1]->begin(0);
  hosts_[2]->begin(0);
  for (int i = 0; i < 6; ++i) EXPECT_NE(choose(), hosts_[0].get());
  hosts_[1]->address->health->up = false;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(choose(), hosts_[2].get());
  trip(*hosts_[2], 0);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(choose(), hosts_[0].get());
}

TEST_F(Group, AFullTargetIsNotAsked) {
  for (const auto& host : hosts_) host->begin(0);
  EXPECT_EQ(choose(0, 1), nullptr);
  EXPECT_TRUE(group_.is_full(1));
  hosts_[1]->end(false);
  EXPECT_EQ(choose(0, 1), hosts_[1].get());
}

// A keeper that looks up every second and is told what a name leads to.
struct Keeping {
  explicit Keeping(std::string ip) {
    const UpstreamAddresses watched = {{address_of("app.example", 9000)},
                                       {address_of("127.0.0.5", 9000)}};
    keeper = std::make_unique<UpstreamKeeper>(
        std::vector<SocketAddress>{*socket_address({"127.0.0.9", 9000})},
        [this](const UpstreamAddresses&, const UpstreamAddresses& now) {
          moved.set_value(now);
          return true;
        },
        1,
        [ip](const policies::UpstreamTarget& target) {
          EXPECT_EQ(target.host, "app.example");  // addresses are not looked up
          std::vector<SocketAddress> found;
          if (!ip.empty()) found.push_back(*socket_address({ip, target.port}));
          return found;
        });
    keeper->watch(watched);
  }
  bool has_moved(std::chrono::seconds within) {
    future = moved.get_future();
    return future.wait_for(within) == std::future_status::ready;
  }
  std::promise<UpstreamAddresses> moved;
  std::future<UpstreamAddresses> future;
  std::unique_ptr<UpstreamKeeper> keeper;
};

TEST(Keeper, TellsWhenANameLeadsElsewhere) {
  Keeping keeping("127.0.0.2");
  ASSERT_TRUE(keeping.has_moved(std::chrono::seconds(60)));
  const UpstreamAddresses now = keeping.future.get();
  EXPECT_TRUE(same_addresses(now[0][0]->addresses,
                             std::vector<SocketAddress>{*socket_address({"127.0.0.2", 9000})}));
  EXPECT_EQ(keeping.keeper->resolve_failures(), 0U);
}

TEST(Keeper, KeepsTheOldAddressOfANameThatIsGoneOrLeadsToUs) {
  for (const char* ip : {"", "127.0.0.9"}) {
    Keeping keeping(ip);
    EXPECT_FALSE(keeping.has_moved(std::chrono::seconds(3))) << ip;
    for (int i = 0; i < 6000 && keeping.keeper->resolve_failures() == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GE(keeping.keeper->resolve_failures(), 1U) << ip;
  }
  Keeping same("127.0.0.1");
  EXPECT_FALSE(same.has_moved(std::chrono::seconds(3)));
  EXPECT_EQ(same.keeper->resolve_failures(), 0U);
}

TEST(HealthCheck, LooksAtTheStatusOfAnHttpAnswer) {
  const std::pair<const char*, bool> cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
      {"HTTP/1.0 204 No Content\r\n\r\n", true},
      {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false},
      {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false},
      {"SSH-2.0-OpenSSH_9.2\r\n", false},
      {"HTTP/1.1 20", false},
      {"", false},
  };
  for (const auto& [answer, healthy] : cases) {
    FakeUpstream upstream([answer = std::string(answer)](Peer& peer, int) {
      EXPECT_TRUE(peer.read_message().starts_with("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"));
      peer.write(answer);
      peer.close();
    });
    const auto address = address_of("127.0.0.1", upstream.port());
    address->setting.health_path = "/healthz";
    EXPECT_EQ(is_healthy(*address, 2000), healthy) << answer;
  }
  const auto nobody = address_of("127.0.0.1", closed_port());
  nobody->setting.health_path = "/";
  EXPECT_FALSE(is_healthy(*nobody, 2000));
  FakeUpstream silent([](Peer& peer, int) { peer.read_all(); });
  const auto slow = address_of("127.0.0.1", silent.port());
  slow->setting.health_path = "/";
  EXPECT_FALSE(is_healthy(*slow, 200));
}

}  // namespace
}  // namespace paravent::proxy::net
