// The admin listener where its thread has no memory: no request is begun, every place is given
// back, and it is there when there is some again. Without memory for Asio's own coroutines the
// process ends (docs/decisions/0072-an-allocation-that-fails.md), so those do not fail here.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "proxy/admin/admin_server.h"
#include "tests/proxy/net/socket_testing.h"
#include "tests/support/either_failing.h"

namespace paravent::proxy::admin {
namespace {

using paravent::testing::fail_allocation;
using paravent::testing::stop_failing;

// Lets the listener's thread fail, and takes no memory itself: the process would end.
class Counter final : public AdminHandler {
 public:
  AdminResponse handle(const AdminRequest&) override {
    paravent::testing::let_this_thread_fail(paravent::testing::AndAsio::no);
    ++calls;
    return {200, "text/plain", "good"};
  }
  std::atomic<int> calls{0};
};

class Listening {
 protected:
  Listening() {
    options_.port = 0;
    options_.threads = 1;
    options_.connections = 2;
    server_ = AdminServer::start(options_, handler_).value();
  }
  std::string ask() const {
    net::Peer peer = net::Peer::connect(server_->port());
    peer.write("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes");
    return peer.read_all();
  }
  // Its place is free a moment after a connection is.
  bool is_served() const {
    for (int i = 0; i < 600; ++i) {
      if (ask().starts_with("HTTP/1.1 200 ")) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  AdminServerOptions options_;
  Counter handler_;
  std::unique_ptr<AdminServer> server_;
};

class AdminOutOfMemory : public ::testing::Test, protected Listening {};
class AdminOutOfMemoryEither : public paravent::testing::EitherFailing, protected Listening {};

TEST_P(AdminOutOfMemoryEither, EndsOneConnectionAndNothingElse) {
  ASSERT_TRUE(is_served());
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    const int before = handler_.calls;
    fail_allocation(nth, GetParam());
    const std::string answer = ask();
    const bool begun = handler_.calls > before;
    const bool failed = stop_failing();
    EXPECT_EQ(answer.find("<timeout>"), std::string::npos);
    if (!answer.empty() && !answer.starts_with("HTTP/1.1 200 ")) {
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
      EXPECT_NE(answer.find("overloaded"), std::string::npos);
    }
    if (answer.starts_with("HTTP/1.1 200 ")) {
      EXPECT_TRUE(begun && answer.ends_with("good")) << answer;
    }
    ASSERT_TRUE(is_served());
    if (!failed) {
      EXPECT_TRUE(begun);
      EXPECT_GT(nth, 3U) << "a request takes memory";
      break;
    }
  }
}

TEST_F(AdminOutOfMemory, BeginsNothingWithoutTheMemoryToEndIt) {
  ASSERT_TRUE(is_served());
  const int before = handler_.calls;
  // The request itself would find what little it needs.
  paravent::testing::fail_allocations_of(std::size_t{1} << 20U);
  const std::string answer = ask();
  EXPECT_TRUE(stop_failing());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("overloaded"), std::string::npos);
  EXPECT_EQ(handler_.calls, before);
  EXPECT_TRUE(is_served());
}

INSTANTIATE_TEST_SUITE_P(Either, AdminOutOfMemoryEither, paravent::testing::either_failing(),
                         paravent::testing::name_of_failing);

}  // namespace
}  // namespace paravent::proxy::admin
