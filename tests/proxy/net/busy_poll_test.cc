// That workers look for work as long as the gateway file says before they sleep.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

// What this process takes of the processors while its server has nothing to do for 50 ms.
std::chrono::nanoseconds taken_by_idle_server(std::chrono::microseconds busy_poll) {
  FakeVault vault;
  ServerOptions options;
  options.listen = {{"127.0.0.1", 0}};
  options.workers = 1;
  options.vault = &vault;
  options.busy_poll = busy_poll;
  const auto server = Server::start(options, snapshot_of(policy_text(closed_port())));
  EXPECT_TRUE(server);
  const auto taken = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto before = taken();
  std::this_thread::sleep_for(50ms);
  return taken() - before;
}

// A busy machine gives less to whoever looks, so the most of several attempts counts; and the least
// of those that sleep.
TEST(Server, WorkersLookAsLongAsTheyAreTold) {
  std::chrono::nanoseconds most{};
  std::chrono::nanoseconds least = std::chrono::nanoseconds::max();
  for (int i = 0; i < 30 && (most < 20ms || least >= 20ms); ++i) {
    most = std::max(most, taken_by_idle_server(1s));
    least = std::min(least, taken_by_idle_server({}));
  }
  EXPECT_GE(most, 20ms);
  EXPECT_LT(least, 20ms);
}

}  // namespace
}  // namespace paravent::proxy::net
