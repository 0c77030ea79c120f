// No heap allocation per request once a connection is warm: the test counts what every thread but
// its own allocates.

#include <gtest/gtest.h>

#include <string>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"
#include "tests/support/allocation_counter.h"

namespace paravent::proxy::net {
namespace {

std::uint64_t allocated_by(Peer& client, const std::string& request, int times) {
  const std::uint64_t before = paravent::testing::allocations();
  for (int i = 0; i < times; ++i) {
    client.write(request);
    EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 200 OK\r\n"));
  }
  return paravent::testing::allocations() - before;
}

TEST(SteadyState, RequestsAllocateNothing) {
  paravent::testing::leave_this_thread_uncounted();
  FakeUpstream upstream([](Peer& peer, int) {
    paravent::testing::leave_this_thread_uncounted();
    while (!peer.read_message().empty()) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  Gateway gateway(upstream.port());
  Peer client = Peer::connect(gateway.port());
  const std::string body = "email=jane%40example.org&message=Hello+there";
  const std::string protect =
      "POST /contact HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  const std::string pass = "GET /page?x=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
  const std::string chunked =
      "POST /elsewhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (const std::string* request : {&protect, &pass, &chunked}) {
    SCOPED_TRACE(*request);
    allocated_by(client, *request, 20);  // warms up
    EXPECT_EQ(allocated_by(client, *request, 200), 0U);
  }
  // The count does count: a head larger than any before needs new memory.
  const std::string large =
      "GET /page HTTP/1.1\r\nHost: a\r\nX: " + std::string(6000, 'x') + "\r\n\r\n";
  EXPECT_GT(allocated_by(client, large, 1), 0U);
}

}  // namespace
}  // namespace paravent::proxy::net
