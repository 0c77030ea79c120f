#include "tests/proxy/net/parsed.h"

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "proxy/net/http1/chunked_decoder.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/net/http1/response_parser.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy::net {
namespace {

std::string framing_name(BodyFraming framing) {
  switch (framing) {
    case BodyFraming::none:
      return "none";
    case BodyFraming::length:
      return "length";
    case BodyFraming::chunked:
      return "chunked";
    case BodyFraming::close:
      return "close";
  }
  return "?";
}

std::string yes_no(bool yes) { return yes ? "yes" : "no"; }

// The body behind a head, cut like everything else. False: the framing is bad.
bool read_body(BodyFraming framing, std::uint64_t length, std::string_view input, const Cut& cut,
               std::size_t at, Parsed& parsed) {
  std::string body;
  if (framing == BodyFraming::close) {
    parsed.facts["body"] = std::string(input.substr(at));
    parsed.facts["rest"] = "";
    return true;
  }
  if (framing == BodyFraming::length) {
    const auto have = std::min<std::uint64_t>(length, input.size() - at);
    body = input.substr(at, static_cast<std::size_t>(have));
    // A length that no test input can hold is only looked at, not waited for.
    if (have < length && input.size() > at) parsed.outcome = "incomplete";
    at += static_cast<std::size_t>(have);
  }
  if (framing == BodyFraming::chunked) {
    http1::ChunkedDecoder chunks;
    std::size_t seen = at;
    auto status = http1::ChunkStatus::need_more;
    while (status == http1::ChunkStatus::need_more && seen < input.size()) {
      seen = std::min(input.size(), seen + cut(seen));
      std::string_view in = input.substr(at, seen - at);
      std::string_view piece;
      while ((status = chunks.next(in, piece)) == http1::ChunkStatus::data) body += piece;
      at = seen - in.size();
      // What is visible but behind the end is the next request's.
    }
    if (status == http1::ChunkStatus::bad) return false;
    if (status == http1::ChunkStatus::need_more) parsed.outcome = "incomplete";
  }
  parsed.facts["body"] = body;
  parsed.facts["rest"] = std::string(input.substr(at));
  return true;
}

}  // namespace

Cut whole() {
  return [](std::size_t) { return static_cast<std::size_t>(-1) / 2; };
}

Cut pieces_of(std::size_t n) {
  return [n](std::size_t) { return n; };
}

Parsed parse_request(std::string_view input, const Cut& cut, const ParseLimits& limits) {
  // A copy of exactly the visible size each time would move it; so one buffer, of which only the
  // front is shown.
  std::vector<char> buffer(input.begin(), input.end());
  std::vector<HeaderLine> lines(limits.header_count);
  http1::RequestParser parser;
  parser.begin(lines, limits.header_bytes, limits.line_bytes);
  auto status = http1::ParseStatus::need_more;
  std::size_t seen = 0;
  while (status == http1::ParseStatus::need_more && seen < buffer.size()) {
    seen = std::min(buffer.size(), seen + cut(seen));
    status = parser.parse(std::span<char>(buffer).first(seen));
  }
  Parsed parsed;
  if (status == http1::ParseStatus::need_more) {
    parsed.outcome = "incomplete";
    return parsed;
  }
  if (status == http1::ParseStatus::refused) {
    parsed.outcome = "refused " + std::string(reason_label(parser.reason()));
    return parsed;
  }
  const RequestHead& head = parser.head();
  parsed.outcome = "ok";
  parsed.facts = {{"method", std::string(head.method_text)},
                  {"target", std::string(head.target)},
                  {"path", std::string(head.path)},
                  {"query", std::string(head.query)},
                  {"host", std::string(head.host)},
                  {"version", head.http_1_0 ? "1.0" : "1.1"},
                  {"framing", framing_name(head.framing)},
                  {"length", std::to_string(head.content_length)},
                  {"keep-alive", yes_no(head.keep_alive)},
                  {"expect", yes_no(head.expect_continue)},
                  {"headers", std::to_string(head.headers.size())}};
  const std::string_view bytes(buffer.data(), buffer.size());
  if (!read_body(head.framing, head.content_length, bytes, cut, parser.size(), parsed)) {
    return {"refused framing", {}};
  }
  return parsed;
}

Parsed parse_response(std::string_view input, const Cut& cut, bool to_head) {
  std::vector<HeaderLine> lines(128);
  http1::ResponseParser parser;
  parser.begin(lines, std::size_t{64} * 1024, to_head);
  auto status = http1::ResponseStatus::need_more;
  std::size_t seen = 0;
  while (status == http1::ResponseStatus::need_more && seen < input.size()) {
    seen = std::min(input.size(), seen + cut(seen));
    status = parser.parse(input.substr(0, seen));
  }
  if (status == http1::ResponseStatus::need_more) return {"incomplete", {}};
  if (status == http1::ResponseStatus::bad) return {"bad", {}};
  const ResponseHead& head = parser.head();
  Parsed parsed;
  parsed.outcome = "ok";
  parsed.facts = {{"status", std::to_string(head.status)},
                  {"framing", framing_name(head.framing)},
                  {"length", std::to_string(head.content_length)},
                  {"keep-alive", yes_no(head.keep_alive)},
                  {"headers", std::to_string(head.headers.size())}};
  if (!read_body(head.framing, head.content_length, input, cut, parser.size(), parsed)) {
    return {"bad", {}};
  }
  return parsed;
}

}  // namespace paravent::proxy::net
