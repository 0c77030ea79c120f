// What one client may have, and when memory is short.

#include "proxy/net/door.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace paravent::proxy::net {
namespace {

IpAddress address(const std::string& text) { return *parse_ip_address(text); }

TEST(ClientLimits, CountsConnectionsPerAddress) {
  ClientLimits limits({1, 2});
  const auto one = limits.place_of(address("198.51.100.7"));
  const auto other = limits.place_of(address("198.51.100.8"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.open_connection(one, 3));
  EXPECT_FALSE(limits.open_connection(one, 3));
  EXPECT_FALSE(limits.open_connection(one, 3)) << "a refusal counted";
  EXPECT_TRUE(limits.open_connection(other, 3));
  limits.close_connection(one);
  EXPECT_TRUE(limits.open_connection(one, 3));
  EXPECT_FALSE(limits.open_connection(one, 3));
}

TEST(ClientLimits, OneSubscriberOfIpv6IsOneClient) {
  const ClientLimits limits({1, 2});
  const auto at = [&](const char* text) { return limits.place_of(address(text)).at; };
  EXPECT_EQ(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
  EXPECT_NE(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
  EXPECT_NE(at("198.51.100.7"), at("198.51.100.8"));
}

TEST(ClientLimits, AdmitsABurstAndThenTheRate) {
  ClientLimits limits({1, 2});
  const auto place = limits.place_of(address("198.51.100.7"));
  std::uint64_t now = 1'000'000'000;
  const auto admitted = [&](int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limits.admit_request(place, 10, 20, now) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(admitted(100), 20);
  now += 1'000'000;
  EXPECT_EQ(admitted(100), 10);
  now += 50'000;
  EXPECT_EQ(admitted(100), 0);
  now += 60'000'000;
  EXPECT_EQ(admitted(100), 20) << "silence saves up no more than a burst";
}

// With 20 000 clients counted beside it, a client is hardly ever taken for another.
TEST(ClientLimits, ManyClientsDoNotShareACounter) {
  ClientLimits limits({0x1234, 0x5678});
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = "10." + std::to_string(i / 65536) + "." +
                             std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    refused += limits.open_connection(limits.place_of(address(text)), 1) ? 0 : 1;
  }
  EXPECT_LT(refused, 1'000);  // both counters taken by one connection each: about 1 in 30
}

// Hash flooding: addresses that share a counter under one key, as whoever knows it can choose them,
// share none under another.
TEST(ClientLimits, AddressesThatCollideUnderOneKeyAreSpreadUnderAnother) {
  const ClientLimits known({1, 2});
  const ClientLimits secret({1, 3});
  std::set<std::uint32_t> counters;
  constexpr std::size_t kMany = 32;
  std::size_t chosen = 0;
  IpAddress guess = address("10.0.0.0");
  for (std::uint32_t i = 0; chosen < kMany && i < (1U << 24U); ++i) {
    for (std::size_t byte = 0; byte < 3; ++byte) {
      guess.bytes[15 - byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    }
    if (known.place_of(guess).at[0] != 7) continue;
    counters.insert(secret.place_of(guess).at[0]);
    ++chosen;
  }
  EXPECT_EQ(chosen, kMany);
  EXPECT_GE(counters.size(), kMany - 2);  // of 65 536; two of 32 meet once in 130 times
}

TEST(ClientLimits, IsExactUnderThreads) {
  ClientLimits limits({1, 2});
  const auto place = limits.place_of(address("198.51.100.7"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        if (limits.open_connection(place, 2)) limits.close_connection(place);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(limits.open_connection(place, 1)) << "a count was lost";
  EXPECT_FALSE(limits.open_connection(place, 1));
}

TEST(MemoryWatch, TwoSteps) {
  std::uint64_t used = 0;
  MemoryWatch watch([&] { return used; });
  std::uint64_t now = 0;
  const auto at = [&](std::uint64_t bytes) {
    used = bytes;
    now += 1'000;
    return watch.sample(1'000'000, now);
  };
  EXPECT_EQ(at(0), MemoryLevel::normal);
  EXPECT_EQ(at(950'000), MemoryLevel::normal);
  EXPECT_EQ(at(950'001), MemoryLevel::tight);
  EXPECT_EQ(at(980'000), MemoryLevel::tight);
  EXPECT_EQ(at(980'001), MemoryLevel::full);
  EXPECT_EQ(watch.level(), MemoryLevel::full);
  EXPECT_EQ(at(100), MemoryLevel::normal);
  used = 990'000;
  EXPECT_EQ(watch.sample(1'000'000, now + 1), MemoryLevel::normal) << "read twice in a period";
  EXPECT_EQ(watch.sample(0, now + 1'000), MemoryLevel::normal) << "no limit";
}

TEST(MemoryWatch, ReadsThisProcess) {
  const std::uint64_t before = resident_bytes();
  EXPECT_GT(before, 1'000'000U);
  const std::vector<char> touched(64U << 20U, 1);
  EXPECT_GT(resident_bytes(), before + (32U << 20U));
}

// Nobody outside can know it, nor learn it from the last start.
TEST(Door, EachHashesAddressesWithASecretOfItsOwn) {
  Door one;
  Door other;
  int alike = 0;
  for (const char* text : {"198.51.100.7", "203.0.113.5", "2001:db8::1", "2001:db8:1:2::1"}) {
    const auto ip = address(text);
    alike += one.clients().place_of(ip).at == other.clients().place_of(ip).at ? 1 : 0;
  }
  EXPECT_EQ(alike, 0);
}

TEST(Door, TellsProxiesFromClients) {
  Door door;
  door.trust({*IpRange::parse("10.0.0.0/8"), *IpRange::parse("2001:db8::/32")});
  using Hop = TrustedProxies::Hop;
  EXPECT_EQ(door.look_up("10.1.2.3"), Hop::proxy);
  EXPECT_EQ(door.look_up("::ffff:10.1.2.3"), Hop::proxy);
  EXPECT_EQ(door.look_up("2001:db8::1"), Hop::proxy);
  EXPECT_EQ(door.look_up("11.1.2.3"), Hop::client);
  for (const char* text : {"", "unknown", "_hidden", "10.1.2.3:80", "[2001:db8::1]", "010.1.2.3"}) {
    EXPECT_EQ(door.look_up(text), Hop::no_address) << text;
  }
}

}  // namespace
}  // namespace paravent::proxy::net
