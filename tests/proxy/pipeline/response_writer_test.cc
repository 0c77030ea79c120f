// What goes back: relayed heads in our own framing, and problems that hold no value and no markup
// of others.

#include "proxy/pipeline/response_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "proxy/pipeline/visitor_words.h"

namespace paravent::proxy {
namespace {

TEST(RelayedHead, KeepsHeadersAndWritesOurFraming) {
  const std::array<HeaderLine, 8> lines = {
      {{"Server", "apache", HeaderName::server},
       {"Connection", "close, X-A", HeaderName::connection},
       {"Keep-Alive", "timeout=5", HeaderName::keep_alive},
       {"Transfer-Encoding", "chunked", HeaderName::transfer_encoding},
       {"Content-Length", "99", HeaderName::content_length},
       {"Trailer", "X-T", HeaderName::trailer},
       {"Upgrade", "h2c", HeaderName::upgrade},
       {"Set_Cookie", "a=1", HeaderName::other}}};
  ResponseHead head;
  head.status = 200;
  head.reason = "Fine";
  head.headers = lines;
  const auto written = [&](ResponseFraming framing, bool to_head, ConnectionLine connection) {
    std::string out;
    write_relayed_head(head, framing, to_head, connection, out);
    return out;
  };
  const std::string top = "HTTP/1.1 200 Fine\r\nServer: apache\r\n";
  const std::string rest = "Set_Cookie: a=1\r\n";
  EXPECT_EQ(written({BodyFraming::length, 7}, false, ConnectionLine::none),
            top + rest + "Content-Length: 7\r\n\r\n");
  EXPECT_EQ(written({BodyFraming::chunked, 0}, false, ConnectionLine::none),
            top + rest + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(written({BodyFraming::close, 0}, false, ConnectionLine::close),
            top + rest + "Connection: close\r\n\r\n");
  EXPECT_EQ(written({BodyFraming::none, 0}, false, ConnectionLine::keep_alive),
            top + rest + "Connection: keep-alive\r\n\r\n");
  // The answer to HEAD says how long the body would be, and has none.
  EXPECT_EQ(written({BodyFraming::none, 0}, true, ConnectionLine::none),
            top + "Content-Length: 99\r\n" + rest + "\r\n");
}

struct Problem {
  std::string head;
  std::string body;
};

Problem problem(const Refusal& refusal, const ProblemContext& context) {
  Problem made;
  write_problem(refusal, context, made.head, made.body);
  return made;
}

TEST(Problem, EveryReasonIsValidJson) {
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    ProblemContext context;
    context.route = "contact \"form\"";
    context.request_id = "0123456789abcdef";
    context.connection = ConnectionLine::none;
    const Problem made = problem({reason, "form.a\"b\\\x01<"}, context);
    boost::system::error_code error;
    const auto value = boost::json::parse(made.body, error);
    ASSERT_FALSE(error) << made.body;
    const auto& object = value.as_object();
    const std::string label(reason_label(reason));
    EXPECT_EQ(object.at("type").as_string(), "urn:paravent:problem:" + label);
    EXPECT_EQ(object.at("reason").as_string(), label);
    EXPECT_EQ(object.at("status").as_int64(), reason_status(reason));
    EXPECT_EQ(object.at("route").as_string(), "contact \"form\"");
    EXPECT_EQ(object.at("field").as_string(), "form.a\"b\\\x01<");
    EXPECT_EQ(object.at("request_id").as_string(), "0123456789abcdef");
    EXPECT_EQ(object.size(), 7U);
    const std::string status = "HTTP/1.1 " + std::to_string(reason_status(reason)) + " ";
    EXPECT_TRUE(made.head.starts_with(status)) << made.head;
    EXPECT_FALSE(made.head.starts_with(status + "Error")) << "a status without its phrase";
    EXPECT_NE(made.head.find("\r\nContent-Type: application/problem+json\r\n"), std::string::npos);
    EXPECT_NE(made.head.find("\r\nContent-Length: " + std::to_string(made.body.size()) + "\r\n"),
              std::string::npos);
    const bool later = reason_status(reason) == 503 || reason_status(reason) == 429;
    EXPECT_EQ(made.head.find("Retry-After") != std::string::npos, later);
    EXPECT_EQ(made.head.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(made.head.ends_with("\r\n\r\n"));
  }
}

TEST(Problem, WithoutRouteOrField) {
  const Problem made = problem({Reason::no_route, {}}, {});
  const auto value = boost::json::parse(made.body);
  EXPECT_FALSE(value.as_object().contains("route"));
  EXPECT_FALSE(value.as_object().contains("field"));
  EXPECT_NE(made.head.find("Connection: close\r\n"), std::string::npos);
}

TEST(Problem, ThePageEscapesTheSendersName) {
  ProblemContext context;
  context.wants_html = true;
  context.request_id = "id";
  const Problem made = problem({Reason::unlisted_field, "form.<script>\"&'"}, context);
  EXPECT_NE(made.head.find("Content-Type: text/html; charset=utf-8\r\n"), std::string::npos);
  EXPECT_EQ(made.body.find("<script"), std::string::npos);
  EXPECT_NE(made.body.find("form.&lt;script&gt;&quot;&amp;'"), std::string::npos);
  EXPECT_NE(made.body.find("<html lang=\"fr\">"), std::string::npos);
  EXPECT_NE(made.body.find("<p lang=\"en\">"), std::string::npos);
  EXPECT_NE(made.body.find("unlisted-field"), std::string::npos);
  EXPECT_NE(made.body.find("<h1>Envoi refusé</h1>"), std::string::npos);
}

TEST(Problem, OnlyWhatPassesAsksToTryLater) {
  for (const Reason reason : {Reason::http_version, Reason::unsupported_coding}) {
    EXPECT_EQ(problem({reason, {}}, {}).body.find("later"), std::string::npos)
        << reason_label(reason);
  }
  for (const Reason reason : {Reason::sealed, Reason::overloaded}) {
    EXPECT_NE(problem({reason, {}}, {}).body.find("later"), std::string::npos)
        << reason_label(reason);
  }
}

TEST(Problem, ThePageNeedsNothingButItself) {
  ProblemContext context;
  context.wants_html = true;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const Problem made = problem({static_cast<Reason>(i), {}}, context);
    for (const std::string_view outside : {"src=", "href=", "url(", "@import", "<script"}) {
      EXPECT_EQ(made.body.find(outside), std::string::npos) << i;
    }
    const VisitorWords words = visitor_words(static_cast<Reason>(i));
    EXPECT_NE(made.body.find("<title>" + std::string(words.french_heading) + "</title>"),
              std::string::npos);
    for (const std::string_view text : {words.french_heading, words.french, words.english}) {
      EXPECT_EQ(text.find_first_of("<>&\""), std::string_view::npos) << i;
    }
  }
}

TEST(RelayedHead, LinesOfOneBufferAreCopiedAsTheyLieAndOthersAreSpeltPlainly) {
  const std::string text =
      "A: 1\r\nB:\t2\r\nC: 3\r\nD: 4 \r\nE: 5\r\nHost: x\r\nF: 6\r\nG:7\r\nH: \r\nI: 9\r\n";
  std::vector<HeaderLine> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::string_view line = std::string_view(text).substr(at, text.find('\r', at) - at);
    const std::size_t colon = line.find(':');
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    lines.push_back({line.substr(0, colon), value, HeaderName::other});
  }
  lines[5].id = HeaderName::content_length;
  ResponseHead head;
  head.status = 200;
  head.reason = "OK";
  head.headers = lines;
  std::string out;
  write_relayed_head(head, {BodyFraming::length, 0}, false, ConnectionLine::none, out);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: \r\n"
            "I: 9\r\nContent-Length: 0\r\n\r\n");
}

TEST(Problem, AWrongMethodIsToldTheRightOnes) {
  ProblemContext context;
  context.allow = "GET, POST";
  EXPECT_NE(problem({Reason::method, {}}, context).head.find("\r\nAllow: GET, POST\r\n"),
            std::string::npos);
}

TEST(Problem, AnswersHeadWithoutABody) {
  ProblemContext context;
  context.head_request = true;
  const Problem made = problem({Reason::no_route, {}}, context);
  EXPECT_EQ(made.body, "");
  EXPECT_EQ(made.head.find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_NE(made.head.find("Content-Length: "), std::string::npos);
}

TEST(PrefersHtml, WhenItIsNamedFirst) {
  const std::pair<const char*, bool> cases[] = {{"text/html,application/xhtml+xml;q=0.9", true},
                                                {"TEXT/HTML;q=1", true},
                                                {"text/html", true},
                                                {"*/*", false},
                                                {"application/json, text/html", false},
                                                {"text/htmlx", false},
                                                {"", false}};
  for (const auto& [accept, expected] : cases) {
    const HeaderLine line{"Accept", accept, HeaderName::accept};
    RequestHead head;
    head.headers = {&line, 1};
    EXPECT_EQ(prefers_html(head), expected) << accept;
  }
  EXPECT_FALSE(prefers_html(RequestHead()));
}

}  // namespace
}  // namespace paravent::proxy
