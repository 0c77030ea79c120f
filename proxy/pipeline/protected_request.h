// ProtectedRequest: a request that may leave for the upstream. The only thing Upstream::exchange
// takes.
//
// Made only by RequestProtector (phase 6), or by its pass() for a route that the policy declares
// unprotected by name; so forgetting protection does not compile (tests/hygiene proves it). Borrows
// the head text, the body's source, edits and arena from the transaction that made it, which keeps
// them until the exchange has an answer. Move-only.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/body/splice.h"

namespace paravent::proxy {

class RequestProtector;
class Upload;

// A piece of a streamed body, framing included. Borrows its parts, which stay until the upstream
// has taken them. Made only by Upload (upload.h), out of what phase 6 made.
class ProtectedPiece {
 public:
  std::span<const std::string_view> parts() const noexcept { return parts_; }
  bool last() const noexcept { return last_; }

 private:
  friend class Upload;
  friend class ProtectedRequest;
  ProtectedPiece() = default;

  std::span<const std::string_view> parts_;
  bool last_ = false;
};

class ProtectedRequest {
 public:
  ProtectedRequest(ProtectedRequest&&) noexcept = default;
  ProtectedRequest& operator=(ProtectedRequest&&) noexcept = default;
  ProtectedRequest(const ProtectedRequest&) = delete;
  ProtectedRequest& operator=(const ProtectedRequest&) = delete;

  // Request line, headers, our own framing and the empty line.
  std::string_view head() const noexcept { return head_; }
  const body::SplicedBytes& body() const noexcept { return body_; }
  // The body follows by UpstreamExchange::send; this is how it begins. body() is empty then.
  bool is_streamed() const noexcept { return streamed_; }
  const ProtectedPiece& piece() const noexcept { return piece_; }
  std::uint32_t upstream() const noexcept { return upstream_; }  // index of PolicyPlan::upstreams()
  bool is_head_request() const noexcept { return is_head_request_; }
  // GET and HEAD may be sent again on a fresh connection when a pooled one turns out to be dead.
  bool may_retry() const noexcept { return may_retry_; }

 private:
  friend class RequestProtector;
  ProtectedRequest() = default;

  std::string_view head_;
  body::SplicedBytes body_;
  ProtectedPiece piece_;
  bool streamed_ = false;
  std::uint32_t upstream_ = 0;
  bool is_head_request_ = false;
  bool may_retry_ = false;
};

}  // namespace paravent::proxy
