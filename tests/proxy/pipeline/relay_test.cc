// Phase 8: the upstream's answer on its way back, in every framing, at the client's pace; and what
// is said when there is none.

#include <gtest/gtest.h>

#include "proxy/net/http1/chunked_decoder.h"
#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

using telemetry::Outcome;

const std::string kPolicy =
    policy_text("      form.a: { do: mask }\n", "",
                "elsewhere: { methods: [GET, HEAD], upstream: http://127.0.0.1:9000, do: pass }\n");
const std::string kRequest = form_post("a=Jane");

// The body behind a head, decoded as a strict client would; "(bad)" where that is impossible.
std::string decoded_chunks(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos) return "(bad)";
  if (answer.substr(0, end).find("Transfer-Encoding: chunked") == std::string_view::npos) {
    return "(bad)";
  }
  std::string_view in = answer.substr(end + 4);
  http1::ChunkedDecoder decoder;
  std::string out;
  for (;;) {
    std::string_view piece;
    switch (decoder.next(in, piece)) {
      case http1::ChunkStatus::data:
        out.append(piece);
        continue;
      case http1::ChunkStatus::done:
        return in.empty() ? out : "(bad)";
      case http1::ChunkStatus::need_more:
        return out + "(more)";
      case http1::ChunkStatus::bad:
        return "(bad)";
    }
  }
}

TEST(Relay, LengthAsItComes) {
  Exchange exchange(kPolicy);
  exchange.start(kRequest);
  exchange.up.handler->on_response(exchange.response(201, BodyFraming::length, 6), "abc", false);
  EXPECT_EQ(exchange.up.resumes, 1);
  EXPECT_EQ(exchange.down.finishes, 0);
  exchange.up.handler->on_response_body("def", true);
  EXPECT_EQ(exchange.down.sent, "HTTP/1.1 201 Said\r\nX-App: 1\r\nContent-Length: 6\r\n\r\nabcdef");
  EXPECT_EQ(exchange.down.finishes, 1);
  EXPECT_TRUE(exchange.down.kept_alive);
  EXPECT_EQ(exchange.up.resumes, 1) << "nothing follows: nobody is asked for more";
}

// Every way in which head, pieces and end may arrive: one decodable body each time.
TEST(Relay, ChunksHoweverTheyArrive) {
  using Pieces = std::vector<std::string_view>;
  const std::pair<Pieces, bool> cases[] = {
      {{"abc", "def"}, false},
      {{"abc", "def"}, true},
      {{"", "abc", "def"}, false},
      {{"", "abc"}, true},
      {{"", "", "abc", ""}, true},
      {{"", ""}, true},
      {{""}, true},
      {{"abc", "", "def"}, true},
      {{"", "a", "b", "c"}, true},
  };
  for (const BodyFraming framing : {BodyFraming::chunked, BodyFraming::close}) {
    for (const auto& [pieces, pace] : cases) {
      Exchange exchange(kPolicy);
      exchange.start(kRequest);
      std::string whole;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        exchange.down.send_status = pace ? SendStatus::pending : SendStatus::done;
        whole += pieces[i];
        if (i == 0) {
          exchange.up.handler->on_response(exchange.response(200, framing), pieces[i], false);
        } else {
          exchange.up.handler->on_response_body(pieces[i], false);
        }
        EXPECT_EQ(exchange.up.resumes, static_cast<int>(pace ? i : i + 1));
        if (pace) exchange.transaction.on_sent(true);
        EXPECT_EQ(exchange.up.resumes, static_cast<int>(i + 1));
      }
      exchange.up.handler->on_response_body("end", true);
      // With a slow client: first the data, then the closing chunk, each told as sent.
      for (int i = 0; i < 2 && pace; ++i) exchange.transaction.on_sent(true);
      EXPECT_EQ(decoded_chunks(exchange.down.sent), whole + "end") << exchange.down.sent;
      EXPECT_EQ(exchange.down.finishes, 1);
      EXPECT_TRUE(exchange.down.last_sent);
      EXPECT_TRUE(exchange.down.kept_alive);
    }
  }
}

TEST(Relay, AnEmptyEndCloses) {
  for (const std::string_view first : {"", "abc"}) {
    Exchange exchange(kPolicy);
    exchange.start(kRequest);
    exchange.up.handler->on_response(exchange.response(200, BodyFraming::close), first, false);
    exchange.up.handler->on_response_body("", true);
    EXPECT_EQ(decoded_chunks(exchange.down.sent), first);
    EXPECT_EQ(exchange.down.finishes, 1);
  }
}

TEST(Relay, WhatIsCompleteGetsALength) {
  for (const BodyFraming framing : {BodyFraming::chunked, BodyFraming::close}) {
    Exchange exchange(kPolicy);
    exchange.start(kRequest);
    exchange.up.handler->on_response(exchange.response(200, framing), "abc", true);
    EXPECT_TRUE(exchange.down.sent.ends_with("Content-Length: 3\r\n\r\nabc"));
    EXPECT_EQ(exchange.down.sends, 1);
  }
}

TEST(Relay, AnOldClientHearsTheEndByTheClose) {
  Exchange exchange(kPolicy);
  exchange.start("GET /page HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  exchange.up.handler->on_response(exchange.response(200, BodyFraming::chunked), "abc", false);
  exchange.up.handler->on_response_body("def", true);
  EXPECT_EQ(exchange.down.sent, "HTTP/1.1 200 Said\r\nX-App: 1\r\nConnection: close\r\n\r\nabcdef");
  EXPECT_FALSE(exchange.down.kept_alive);
}

TEST(Relay, AnswersWithoutABody) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{204, 304}) {
    Exchange exchange(kPolicy);
    exchange.start(kRequest);
    exchange.up.handler->on_response(exchange.response(status, BodyFraming::none), "", true);
    EXPECT_EQ(exchange.down.sent,
              "HTTP/1.1 " + std::to_string(status) + " Said\r\nX-App: 1\r\n\r\n");
  }
  Exchange exchange(kPolicy);
  exchange.start(request_text("HEAD /page", ""));
  ResponseHead head = exchange.response(200, BodyFraming::none);
  const HeaderLine length{"Content-Length", "1234", HeaderName::content_length};
  head.headers = {&length, 1};
  exchange.up.handler->on_response(head, "", true);
  EXPECT_EQ(exchange.down.sent, "HTTP/1.1 200 Said\r\nContent-Length: 1234\r\n\r\n");
  EXPECT_TRUE(exchange.down.kept_alive);
}

TEST(Relay, TheConnectionClosesWhereTheClientAskedForIt) {
  Exchange exchange(kPolicy);
  exchange.start(request_text("GET /page", "Connection: close\r\n"));
  exchange.up.handler->on_response(exchange.response(200, BodyFraming::none), "", true);
  EXPECT_NE(exchange.down.sent.find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(exchange.down.kept_alive);
}

TEST(Failure, BeforeAnAnswerIsAProblem) {
  const std::tuple<UpstreamFailure, Reason, const char*> cases[] = {
      {UpstreamFailure::unreachable, Reason::upstream_failed, "502"},
      {UpstreamFailure::bad_answer, Reason::upstream_failed, "502"},
      {UpstreamFailure::timeout, Reason::upstream_timeout, "504"},
      {UpstreamFailure::overloaded, Reason::overloaded, "503"}};
  for (const auto& [failure, reason, status] : cases) {
    Exchange exchange(kPolicy);
    exchange.start(kRequest);
    exchange.up.handler->on_failure(failure);
    EXPECT_TRUE(exchange.down.sent.starts_with(std::string("HTTP/1.1 ") + status));
    EXPECT_EQ(exchange.refusals(reason), 1U);
    EXPECT_EQ(exchange.requests(Outcome::failed), 1U);
    EXPECT_TRUE(exchange.down.kept_alive);
    EXPECT_EQ(exchange.up.cancels, 0) << "the handle is dead already";
  }
}

TEST(Failure, InTheMiddleOfAnAnswerIsNoCleanEnd) {
  for (const BodyFraming framing :
       {BodyFraming::length, BodyFraming::chunked, BodyFraming::close}) {
    Exchange exchange(kPolicy);
    exchange.start(kRequest);
    exchange.up.handler->on_response(exchange.response(200, framing, 9), "part", false);
    const std::string sent = exchange.down.sent;
    exchange.up.handler->on_failure(UpstreamFailure::bad_answer);
    EXPECT_EQ(exchange.down.sent, sent) << "something was said after the break";
    EXPECT_EQ(sent.find("0\r\n\r\n"), std::string::npos);
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_FALSE(exchange.down.kept_alive);
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
  }
}

// Where the connection's end is the answer's: only then is a reset better than a close.
TEST(Failure, InTheMiddleOfAnOldClientsAnswerBreaksTheConnection) {
  for (const BodyFraming framing :
       {BodyFraming::length, BodyFraming::chunked, BodyFraming::close}) {
    Exchange exchange(kPolicy);
    exchange.start("GET /page HTTP/1.0\r\nHost: a\r\n\r\n");
    exchange.up.handler->on_response(exchange.response(200, framing, 9), "part", false);
    exchange.up.handler->on_failure(UpstreamFailure::bad_answer);
    EXPECT_EQ(exchange.down.ending,
              framing == BodyFraming::length ? Ending::closes : Ending::breaks);
    // Nothing of it stays with the next one.
    exchange.start("GET /page HTTP/1.0\r\nHost: a\r\n\r\n");
    exchange.up.handler->on_failure(UpstreamFailure::bad_answer);
    EXPECT_EQ(exchange.down.ending, Ending::closes);
    exchange.start("GET /page HTTP/1.0\r\nHost: a\r\n\r\n");
    exchange.up.handler->on_response(exchange.response(200, BodyFraming::close), "wh", false);
    exchange.up.handler->on_response_body("ole", true);
    EXPECT_EQ(exchange.down.ending, Ending::closes);
  }
}

TEST(Refusal, IsSentAtTheClientsPaceToo) {
  Exchange exchange(kPolicy);
  exchange.down.send_status = SendStatus::pending;
  exchange.start(form_post("b=1"));
  EXPECT_EQ(exchange.transaction.phase(), Phase::respond);
  EXPECT_EQ(exchange.down.finishes, 0);
  exchange.transaction.on_sent(true);
  EXPECT_EQ(exchange.down.finishes, 1);
  EXPECT_TRUE(exchange.down.kept_alive);
  EXPECT_EQ(exchange.down.sends, 1);
}

}  // namespace
}  // namespace paravent::proxy::testing
