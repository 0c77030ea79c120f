// The heads of what goes back to the client: a relayed answer with our own framing, or a refusal.
//
// Pure functions that append to the caller's buffers. No value of the request ever enters a
// refusal.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

struct ResponseFraming {
  BodyFraming kind = BodyFraming::none;  // none, length, chunked (HTTP/1.1 clients) or close
  std::uint64_t length = 0;
};

// What a client must be told about its connection (RFC 9112 9.3): HTTP/1.1 keeps it unless told
// otherwise, HTTP/1.0 closes it unless told otherwise.
enum class ConnectionLine : std::uint8_t { none, close, keep_alive };

// Status line, the upstream's headers less the hop-by-hop ones, our framing, the empty line.
// `head_request`: the answer to HEAD keeps the upstream's Content-Length, and has no body.
void write_relayed_head(const ResponseHead& head, const ResponseFraming& framing, bool head_request,
                        ConnectionLine connection, std::string& out);

struct ProblemContext {
  std::string_view route;  // from the policy, or empty
  std::string_view request_id;
  std::string_view allow;  // of a 405, else empty
  bool wants_html = false;
  bool head_request = false;
  ConnectionLine connection = ConnectionLine::close;
};

// A refusal as application/problem+json (RFC 9457), or a short page in French and English.
void write_problem(const Refusal& refusal, const ProblemContext& context, std::string& head,
                   std::string& body);

// True where an Accept header names text/html before anything else.
// An answer of our own that says nothing: 204, without a body.
void write_no_content(ConnectionLine connection, std::string& head);

bool prefers_html(const RequestHead& head);

}  // namespace paravent::proxy
