// Limits, bytes in every place, and the views that a request head consists of.

#include "proxy/net/http1/request_parser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/proxy/net/parsed.h"

namespace paravent::proxy::net {
namespace {

std::string outcome(const std::string& bytes, const ParseLimits& limits = {}) {
  return parse_request(bytes, whole(), limits).outcome;
}

std::string with_header(const std::string& line) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
}

TEST(RequestParser, LineLimits) {
  const ParseLimits limits{.header_bytes = 4096, .line_bytes = 100, .header_count = 100};
  const auto request_line = [](std::size_t size) {
    return "GET /" + std::string(size - 14, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(outcome(request_line(100), limits), "ok");
  EXPECT_EQ(outcome(request_line(101), limits), "refused target-too-long");
  EXPECT_EQ(outcome(with_header("X: " + std::string(97, 'a')), limits), "ok");
  EXPECT_EQ(outcome(with_header("X: " + std::string(98, 'a')), limits),
            "refused headers-too-large");
  // Without an end in sight as well, and whatever stands behind the limit.
  EXPECT_EQ(outcome(std::string(101, 'a'), limits), "refused target-too-long");
  EXPECT_EQ(outcome(std::string(100, 'a'), limits), "incomplete");
  EXPECT_EQ(outcome(std::string(101, 'a') + '\0', limits), "refused target-too-long");
  EXPECT_EQ(outcome(std::string(99, 'a') + '\0', limits), "refused framing");
}

TEST(RequestParser, HeadLimit) {
  const std::string head = with_header("X: " + std::string(64, 'a'));
  EXPECT_EQ(outcome(head, {.header_bytes = head.size()}), "ok");
  EXPECT_EQ(outcome(head, {.header_bytes = head.size() - 1}), "refused headers-too-large");
  EXPECT_EQ(outcome("GET /" + std::string(64, 'a'), {.header_bytes = 64}),
            "refused target-too-long");
}

TEST(RequestParser, HeaderCountLimit) {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "X: y\r\n";
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"), "ok");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "X: y\r\n\r\n"),
            "refused headers-too-large");
}

TEST(RequestParser, LimitsDoNotDependOnTheCut) {
  const ParseLimits limits{.header_bytes = 120, .line_bytes = 60, .header_count = 3};
  for (std::size_t size = 1; size < 200; size += 3) {
    for (const std::string& bytes :
         {with_header("X: " + std::string(size, 'a')),
          "GET /" + std::string(size, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", std::string(size, 'b'),
          with_header(std::string(size, 'c'))}) {
      const Parsed reference = parse_request(bytes, whole(), limits);
      for (const std::size_t piece : {1U, 2U, 7U, 16U, 61U}) {
        EXPECT_EQ(parse_request(bytes, pieces_of(piece), limits), reference);
      }
    }
  }
}

// What a header line brings: the framing it is read as, or the refusal.
std::string framing_under(const std::string& line) {
  const Parsed parsed = parse_request(with_header(line) + "0\r\n\r\n", whole());
  return parsed.outcome == "ok" ? parsed.facts.at("framing") : parsed.outcome;
}

// "smuggler": every byte in front of, behind and inside the coding's name and value.
TEST(RequestParser, NoByteSmugglesACodingPast) {
  const std::string name_chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  for (int byte = 0; byte < 256; ++byte) {
    SCOPED_TRACE(byte);
    const std::string c(1, static_cast<char>(byte));
    const bool is_name = name_chars.find(c) != std::string::npos;
    const bool is_token =
        is_name || (byte != 0 && std::string("!#$%&'*+.^_`|~").find(c) != std::string::npos);
    // With a name character it is another header's name, to every reader; else it is refused.
    const std::string other_name = is_name ? "none" : "refused framing";
    EXPECT_EQ(framing_under(c + "Transfer-Encoding: chunked"), other_name);
    EXPECT_EQ(framing_under("Transfer-Encoding" + c + ": chunked"), other_name);
    EXPECT_EQ(framing_under("Transfer" + c + "Encoding: chunked"), c == "-"   ? "chunked"
                                                                   : c == ":" ? "none"
                                                                              : other_name);
    const std::string around = c == " " || c == "\t" ? "chunked" : "refused framing";
    EXPECT_EQ(framing_under("Transfer-Encoding:" + c + "chunked"), around);
    EXPECT_EQ(framing_under("Transfer-Encoding: chunked" + c), around);
    EXPECT_EQ(framing_under("Transfer-Encoding: chu" + c + "nked"),
              is_token ? "refused unsupported-coding" : "refused framing");
  }
}

TEST(RequestParser, TargetAcceptsExactlyTheCharactersOfRfc3986) {
  const std::string path =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/";
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const std::string in_path = "GET /x" + std::string(1, c) + "y HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string in_query = "GET /?x" + std::string(1, c) + "y HTTP/1.1\r\nHost: a\r\n\r\n";
    const bool path_ok = path.find(c) != std::string::npos || c == '?';
    EXPECT_EQ(outcome(in_path) == "ok", path_ok) << byte;
    EXPECT_EQ(outcome(in_query) == "ok", path_ok || c == '[' || c == ']') << byte;
  }
}

TEST(RequestParser, HeadIsViewsOfTheBuffer) {
  std::string bytes =
      "POST /a%c3%a9?b HTTP/1.1\r\nHost: a\r\nX-Real-IP:  192.0.2.1 \r\nContent-Length: "
      "2\r\n\r\nhi";
  std::vector<HeaderLine> lines(10);
  http1::RequestParser parser;
  parser.begin(lines, 1024, 512);
  ASSERT_EQ(parser.parse(bytes), http1::ParseStatus::done);
  EXPECT_EQ(parser.size(), bytes.size() - 2);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, Method::post);
  ASSERT_EQ(head.headers.size(), 3U);
  EXPECT_EQ(head.headers[1].name, "X-Real-IP");
  EXPECT_EQ(head.headers[1].value, "192.0.2.1");
  EXPECT_EQ(head.headers[1].id, HeaderName::address_family);
  EXPECT_EQ(head.headers[2].id, HeaderName::content_length);
  EXPECT_EQ(head.path, "/a%C3%A9");
  EXPECT_EQ(head.path.data(), bytes.data() + 5);
  EXPECT_EQ(head.query.data(), bytes.data() + 14);
}

// Random edits of a good request: whatever comes out, every cut agrees, and what is accepted is
// accepted again when it is written out canonically.
TEST(RequestParser, RandomEditsNeverSplitTheCuts) {
  const std::string good =
      "POST /contact?x=1 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  std::mt19937 random(20240601);
  const std::string alphabet = std::string("\r\n\t\0 :;,/%.#_5aZ\x80\xff", 19);
  unsigned accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % bytes.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          bytes[at] = c;
          break;
        case 1:
          bytes.insert(at, 1, c);
          break;
        default:
          bytes.erase(at, 1);
          break;
      }
    }
    const Parsed reference = parse_request(bytes, whole());
    if (reference.outcome == "ok") ++accepted;
    const std::size_t size = 1 + random() % 20;
    ASSERT_EQ(parse_request(bytes, pieces_of(size)), reference) << bytes;
  }
  EXPECT_GT(accepted, 100U);
  EXPECT_LT(accepted, 4000U);
}

}  // namespace
}  // namespace paravent::proxy::net
