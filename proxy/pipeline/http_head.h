// RequestHead and ResponseHead: what the strict parsers (proxy/net/http1) hand to the pipeline.
//
// Everything is a view of the connection's read buffer, valid for the exchange; the header lines
// lie in an array that the connection owns and reuses. A RequestHead that exists has passed every
// framing rule of docs/request-path.md (RFC 9112 read strictly): exactly one meaning, no second
// reading possible.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/pipeline/header_name.h"

namespace paravent::proxy {

struct HeaderLine {
  std::string_view name;   // as received
  std::string_view value;  // optional white space trimmed
  HeaderName id = HeaderName::other;
};

enum class BodyFraming : std::uint8_t {
  none,     // no body
  length,   // Content-Length
  chunked,  // Transfer-Encoding: chunked
  close,    // responses only: until the connection ends
};

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

// From a closed set: a method of the client's own invention, "OTHER", is not written anywhere.
constexpr std::string_view method_name(Method method) noexcept {
  constexpr std::string_view kNames[] = {"GET",   "HEAD",   "POST",    "PUT",
                                         "PATCH", "DELETE", "OPTIONS", "OTHER"};
  return kNames[static_cast<std::size_t>(method)];
}

struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;  // origin-form as received: path and query
  std::string_view path;  // in front of '?'; checked: one normal form, no "..", "//", %2f, %5c, %00
  std::string_view query;  // behind '?', empty when there is none
  bool has_query = false;
  std::string_view host;  // the Host header, valid (RFC 9110 7.2), as received
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expect_continue = false;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  // framing length
  std::span<const HeaderLine> headers;
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string_view reason;
  bool keep_alive = true;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
  std::span<const HeaderLine> headers;
};

}  // namespace paravent::proxy
