// Every allocation of an exchange fails once, and once with all behind it: the exchange is answered
// 503 or ends without an answer, nothing leaves by halves or unprotected, and the same connection's
// next exchange is as good as any (hardening: an allocation that fails).

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/http1/chunked_decoder.h"
#include "tests/proxy/body/packing.h"
#include "tests/proxy/pipeline/transaction_testing.h"
#include "tests/proxy/pipeline/upload_testing.h"
#include "tests/support/either_failing.h"

namespace paravent::proxy::testing {
namespace {

constexpr const char* kSecret = "Zanzibar7";

struct Case {
  const char* name;
  std::string request;
  std::string rules;
  bool streamed = false;
  bool refused = false;  // also with all the memory there is
  bool fails = false;    // the application, once the request has left
};

const char* const kFormRules =
    "      form.a: { kind: text, do: encrypt }\n"
    "      form.b: { kind: name, do: tokenise }\n"
    "      form.c: { kind: email, do: tokenise, mode: derived }\n"
    "      form.d: { do: drop }\n"
    "      query.e: { kind: text, do: pseudonymise }\n"
    "      header.X-F: { kind: text, do: mask, show-last: 2 }\n"
    "      cookie.g: { kind: text, do: encrypt }\n";
const char* const kJsonRules =
    "      json.a.b: { kind: text, do: encrypt }\n"
    "      json.list[*].c: { kind: name, do: tokenise }\n";
// More rules for one key than are tried one by one, and one that would keep it elsewhere.
std::string many_rules() {
  std::string rules = "      json.b: { do: keep }\n      json.a.b: { kind: text, do: encrypt }\n";
  for (int i = 0; i < 12; ++i) {
    rules += "      json.c" + std::to_string(i) + ".b: { kind: text, do: encrypt }\n";
  }
  return rules;
}
const char* const kNestedRules =
    "      form.data: { do: open, as: json }\n"
    "      form.data > json.a: { kind: text, do: encrypt }\n"
    "      form.data > json.list[*].b: { kind: name, do: tokenise }\n";
const char* const kUploadRules =
    "      multipart.a: { kind: text, do: encrypt }\n"
    "      multipart.b: { kind: name, do: tokenise }\n"
    "      multipart.f: { file: pass }\n";

std::vector<Case> cases() {
  const std::string secret = kSecret;
  const std::string headers = "X-F: " + secret + "\r\nCookie: g=" + secret + "\r\n";
  const std::string form = "a=" + secret + "&b=" + secret + "&c=" + secret +
                           "%40example.org&d=" + secret + std::string(3000, 'x');
  std::string list;
  for (int i = 0; i < 40; ++i) {
    list += (i > 0 ? "," : "") + ("{\"c\":\"" + secret) + std::to_string(i) + "\"}";
  }
  std::vector<Case> all;
  all.push_back(
      {"form",
       request_text("POST /f?e=" + secret,
                    "Content-Type: application/x-www-form-urlencoded\r\n" + headers, form),
       kFormRules});
  all.push_back(
      {"json", json_post(R"({"a":{"b":")" + secret + R"("},"list":[)" + list + "]}"), kJsonRules});
  all.push_back(
      {"json of many rules", json_post(R"({"a":{"b":")" + secret + R"("}})"), many_rules()});
  all.push_back({"json in a form",
                 form_post("data=%7B%22a%22%3A%22" + secret +
                           "%22%2C%22list%22%3A%5B%7B%22b%22%3A%22" + secret + "%22%7D%5D%7D"),
                 kNestedRules});
  for (const auto& [coding, name] : {std::pair{body::ContentCoding::gzip, "gzip"},
                                     {body::ContentCoding::br, "br"},
                                     {body::ContentCoding::zstd, "zstd"}}) {
    const std::string text = R"({"a":{"b":")" + secret + R"("}})";
    all.push_back({name,
                   json_post(body::test::pack(coding, text),
                             std::string("Content-Encoding: ") + name + "\r\n"),
                   kJsonRules});
  }
  all.push_back({"refused", json_post("{\"a\":"), kJsonRules, false, true});
  all.push_back({"failing application", form_post("a=" + secret), kFormRules, false, false, true});
  all.push_back({"upload",
                 multipart_post(part("a", secret) + part("b", secret) +
                                file("f", std::string(200'000, 'p')) + kEnd),
                 kUploadRules, true});
  return all;
}

// One exchange, with doubles that take no memory.
class Trial {
 public:
  explicit Trial(const Case& one) : case_(one), exchange_(policy_text(one.rules)) {
    exchange_.down.sent.reserve(std::size_t{1} << 20U);
    exchange_.down.window.reserve(std::size_t{1} << 20U);
    exchange_.up.body.reserve(std::size_t{1} << 20U);
    exchange_.up.head.reserve(std::size_t{1} << 16U);
    exchange_.down.limits.reserve(16);
    exchange_.vault.batches.reserve(64);
    reader_ = std::make_unique<ReadRequest>(one.request);
    const std::string_view body = reader_->body();
    const std::size_t half = body.size() / 2;
    pieces_ = {std::string(body.substr(0, half)), std::string(body.substr(half))};
  }

  // The whole exchange, as its neighbours would have it.
  void run() {
    exchange_.down.sent.clear();
    exchange_.down.window.clear();
    exchange_.down.finishes = exchange_.up.exchanges = exchange_.up.cancels = 0;
    exchange_.up.ended = exchange_.down.kept_alive = false;
    exchange_.up.body.clear();
    exchange_.vault.batches.clear();
    std::size_t answered = 0;
    if (case_.streamed) {
      exchange_.down.pieces = pieces_;
      exchange_.down.received = {};
    } else {
      exchange_.down.received = {BodyStatus::complete, reader_->body()};
    }
    if (arm_) arm_();
    exchange_.transaction.start(reader_->head(), exchange_.worker);
    for (int turns = 0; turns < 8 && exchange_.down.finishes == 0; ++turns) {
      if (answered < exchange_.vault.batches.size()) {
        ++answered;
        exchange_.vault.answer(crypto::vault::ResolveStatus::ok);
        exchange_.transaction.on_resolved();
      } else if (case_.streamed && exchange_.up.exchanges == 1 && !exchange_.up.ended) {
        exchange_.up.handler->on_piece_sent();
      }
    }
    answered_ = exchange_.down.finishes == 0 && exchange_.up.exchanges == 1;
    if (answered_ && case_.fails) {
      exchange_.up.handler->on_failure(UpstreamFailure::bad_answer);
    } else if (answered_) {
      exchange_.up.handler->on_response(answer_, "ok", true);
    }
    failed_ = paravent::testing::stop_failing();
  }
  void run_with(std::function<void()> arm) {
    arm_ = std::move(arm);
    run();
    arm_ = nullptr;
  }
  bool failed() const { return failed_; }

  void expect_good() {
    ASSERT_EQ(exchange_.down.finishes, 1);
    const char* const status = case_.refused ? "400 " : case_.fails ? "502 " : "200 ";
    EXPECT_TRUE(exchange_.down.sent.starts_with(std::string("HTTP/1.1 ") + status))
        << exchange_.down.sent;
    if (!case_.refused) expect_whole();
  }
  // As good as any, or answered 503, or ended; never a part that looks like the whole.
  void expect_safe() {
    ASSERT_EQ(exchange_.down.finishes, 1);
    EXPECT_EQ(exchange_.transaction.phase(), Phase::idle);
    const std::string& sent = exchange_.down.sent;
    EXPECT_EQ(exchange_.up.body.find(kSecret), std::string::npos);
    if (sent.starts_with("HTTP/1.1 200 ")) {
      expect_whole();
    } else if (sent.empty()) {
      EXPECT_FALSE(exchange_.down.kept_alive);
    } else if (case_.fails && answered_) {
      // The request may have been acted on: nobody is told to repeat it.
      EXPECT_TRUE(sent.starts_with("HTTP/1.1 502 ")) << sent;
    } else if (!case_.refused || !sent.starts_with("HTTP/1.1 400 ")) {
      EXPECT_TRUE(sent.starts_with("HTTP/1.1 503 ")) << sent;
      EXPECT_NE(sent.find("overloaded"), std::string::npos);
    }
    // What was begun and not answered was taken back.
    if (exchange_.up.exchanges == 1 && !answered_) {
      EXPECT_EQ(exchange_.up.cancels, 1);
    }
  }

 private:
  void expect_whole() {
    EXPECT_EQ(exchange_.up.exchanges, 1);
    EXPECT_EQ(exchange_.up.body.find(kSecret), std::string::npos);
    EXPECT_EQ(exchange_.up.head.find(kSecret), std::string::npos);
    if (case_.streamed) {
      EXPECT_TRUE(exchange_.up.ended);
      EXPECT_TRUE(dechunked(exchange_.up.body).ends_with(kMultipartEnd));
    } else {
      EXPECT_NE(exchange_.up.head.find(
                    "Content-Length: " + std::to_string(exchange_.up.body.size()) + "\r\n"),
                std::string::npos);
    }
  }

  const Case& case_;
  Exchange exchange_;
  std::unique_ptr<ReadRequest> reader_;
  std::deque<std::string> pieces_;
  ResponseHead answer_ = exchange_.response(200, BodyFraming::length, 2);
  std::function<void()> arm_;
  bool answered_ = false;
  bool failed_ = false;
};

using OutOfMemory = paravent::testing::EitherFailing;

TEST_P(OutOfMemory, EndsOneExchangeAndNothingElse) {
  paravent::testing::let_this_thread_fail();
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    for (std::uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE(nth);
      Trial trial(one);
      trial.run_with([&] { paravent::testing::fail_allocation(nth, GetParam()); });
      trial.expect_safe();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
      const bool failed = trial.failed();
      trial.run();
      trial.expect_good();
      if (!failed) {
        EXPECT_GT(nth, 5U) << "a cold exchange takes memory";
        break;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Either, OutOfMemory, paravent::testing::either_failing(),
                         paravent::testing::name_of_failing);

}  // namespace
}  // namespace paravent::proxy::testing
