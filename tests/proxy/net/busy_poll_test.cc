// That workers look for work as long as the gateway file says before they sleep.

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// What this process takes of the processors while its server has nothing to do: for `time`, or
// until that is `enough`.
std::chrono::nanoseconds taken_by_idle_server(std::chrono::microseconds busy_poll,
                                              std::chrono::milliseconds time,
                                              std::chrono::nanoseconds enough) {
  FakeVault vault;
  ServerOptions options;
  options.listen = {{"127.0.0.1", 0}};
  options.workers = 1;
  options.vault = &vault;
  options.busy_poll = busy_poll;
  const auto server = Server::start(options, snapshot_of(policy_text(closed_port())));
  EXPECT_TRUE(server);
  const auto before = processor_time();
  const auto end = std::chrono::steady_clock::now() + time;
  while (processor_time() - before < enough && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(10ms);
  }
  return processor_time() - before;
}

// A busy machine gives less to whoever looks, so that has ten seconds to take what a moment of a
// quiet one would give; one that sleeps takes a fraction of it in all that time.
TEST(Server, WorkersLookAsLongAsTheyAreTold) {
  EXPECT_GE(taken_by_idle_server(1s, 10s, 20ms), 20ms);
  EXPECT_LT(taken_by_idle_server({}, 50ms, 20ms), 20ms);
}

}  // namespace
}  // namespace paravent::proxy::net
