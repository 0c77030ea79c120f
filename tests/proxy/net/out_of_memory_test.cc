// Every allocation that a worker makes for a new connection fails once, and once with all behind
// it: that connection is answered 503 or ends, nothing is forwarded by halves, another one under
// way goes on, and the next is served.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/proxy/net/gateway_testing.h"
#include "tests/proxy/net/socket_testing.h"
#include "tests/support/either_failing.h"

namespace paravent::proxy::net {
namespace {

using namespace std::chrono_literals;
using crypto::vault::ResolveBatch;

constexpr const char* kSecret = "Zanzibar7";

// Keeps its first batch until the test lets go, so that one exchange is under way all the time and
// nothing of it can be used for the next; answers others at once. Lets its worker's memory fail.
class HoldingVault final : public crypto::vault::TokenVault {
 public:
  void resolve(std::shared_ptr<ResolveBatch> batch) override {
    paravent::testing::let_this_thread_fail();
    const std::lock_guard lock(mutex_);
    if (!first_) {
      first_ = std::move(batch);
    } else {
      answer(*batch);
    }
  }
  bool holds() const {
    const std::lock_guard lock(mutex_);
    return first_ != nullptr;
  }
  void let_go() const { answer(*first_); }

 private:
  static void answer(ResolveBatch& batch) {
    for (auto& job : batch.jobs) job.id.fill(7);
    batch.status = crypto::vault::ResolveStatus::ok;
    batch.done();
  }

  mutable std::mutex mutex_;
  std::shared_ptr<ResolveBatch> first_;
};

// In many pieces, of which a full socket leaves a rest.
std::string long_answer() { return std::string(3'000'000, 'y') + "end"; }

// An application that keeps each request which came to it whole.
class Application {
 public:
  std::uint16_t port() const { return upstream_.port(); }
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void serve(Peer& peer) {
    for (;;) {
      const std::string request = peer.read_message();
      if (request.empty()) return;
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      // More than a read block holds, where that is asked for.
      const bool long_head = request.starts_with("GET /long-head ");
      const std::string line = "X: " + std::string(8000, 'x') + "\r\n";
      peer.write("HTTP/1.1 200 OK\r\n" + (long_head ? line + line + line : "") +
                 "Content-Length: " + std::to_string(answer_.size()) + "\r\n\r\n" + answer_);
    }
  }

  std::string answer_ = long_answer();
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  FakeUpstream upstream_{[this](Peer& peer, int) { serve(peer); }};
};

std::string contact(const std::string& padding = "") {
  const std::string secret = kSecret;
  const std::string body =
      "email=" + secret + "%40example.org&name=" + secret + "&message=" + secret + padding;
  return "POST /contact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Case {
  const char* name;
  std::string request;
  bool follows = false;  // another one, whose connection to the application is used again
};

std::vector<Case> cases() {
  return {
      {"passed on", "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
      {"protected", contact()},
      {"too large for the read block", contact(std::string(60'000, 'p'))},
      {"chunked",
       "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: "
       "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
      {"on a used connection", contact(std::string(12'000, 'p')), true},
      {"answered with a long head",
       "GET /long-head HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
      {"refused unread", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
  };
}

class Trial {
 public:
  Trial() {
    ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.workers = 1;
    options.vault = &vault_;
    server_ = Server::start(options, snapshot_of(policy_text(application_.port()))).value();
    held_.emplace(Peer::connect(server_->ports().at(0)));
    held_->write(contact());
    while (!vault_.holds()) std::this_thread::sleep_for(1ms);
  }

  std::string ask(const std::string& request) const {
    Peer client = Peer::connect(server_->ports().at(0));
    client.write(request);
    return client.read_all();
  }
  std::string let_go() {
    vault_.let_go();
    return held_->read_all();
  }
  std::vector<std::string> seen() const { return application_.seen(); }
  // At the application, as the gateway counts them.
  std::uint64_t under_way() const {
    std::uint64_t sum = 0;
    for (const auto& one : server_->upstream_statistics()) sum += one->in_flight.read();
    return sum;
  }

 private:
  Application application_;
  HoldingVault vault_;
  std::unique_ptr<Server> server_;
  std::optional<Peer> held_;
};

bool is_whole(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(long_answer());
}

using OutOfMemory = paravent::testing::EitherFailing;

TEST_P(OutOfMemory, EndsOneConnectionAndNothingElse) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    const bool refused = std::string_view(one.name) == "refused unread";
    for (std::uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE(nth);
      Trial trial;
      if (one.follows) {
        EXPECT_TRUE(is_whole(trial.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")));
      }
      const std::size_t before = trial.seen().size();
      paravent::testing::fail_allocation(nth, GetParam());
      const std::string answer = trial.ask(one.request);
      const bool failed = paravent::testing::stop_failing();
      if (answer.starts_with("HTTP/1.1 200 ")) {
        EXPECT_TRUE(is_whole(answer) || failed);
        EXPECT_EQ(trial.seen().size(), before + 1);
      } else if (!answer.empty() && !(refused && answer.starts_with("HTTP/1.1 400 "))) {
        // What has left may have been acted on: nobody is told to repeat it.
        const bool has_left = trial.seen().size() > before;
        EXPECT_TRUE(answer.starts_with(has_left ? "HTTP/1.1 502 " : "HTTP/1.1 503 ")) << answer;
      }
      EXPECT_EQ(answer.find("<timeout>"), std::string::npos);
      EXPECT_TRUE(is_whole(trial.ask(contact())));
      EXPECT_TRUE(is_whole(trial.let_go()));
      EXPECT_EQ(trial.under_way(), 0U) << "an exchange that was given up is still counted";
      for (const std::string& request : trial.seen()) {
        EXPECT_EQ(request.find(kSecret), std::string::npos);
      }
      if (HasFailure()) return;
      if (!failed) {
        EXPECT_GT(nth, one.follows ? 1U : 3U) << "a new connection takes memory";
        EXPECT_TRUE(refused ? answer.starts_with("HTTP/1.1 400 ") : is_whole(answer)) << answer;
        break;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Either, OutOfMemory, paravent::testing::either_failing(),
                         paravent::testing::name_of_failing);

}  // namespace
}  // namespace paravent::proxy::net
