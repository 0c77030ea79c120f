// UpstreamHead: the request's head as it leaves for the upstream, in phase 6.
//
// Request line and lines as they came, but for what the policy changed, what is of one hop only and
// what would tell who the client is; the framing is always our own. Writes into
// ExchangeBuffers::request_head; one per request, used by one thread. The head, the peer and the
// buffers given here must stay until the exchange has its answer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "policies/plan/route_plan.h"
#include "proxy/pipeline/client_address.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/line_copier.h"

namespace paravent::proxy {

class UpstreamHead {
 public:
  UpstreamHead(const policies::RoutePlan& route, const RequestHead& head, const Peer& peer,
               bool tls, ExchangeBuffers& buffers)
      : route_(route), head_(head), peer_(peer), tls_(tls), buffers_(buffers) {}

  // All but the framing. `body_changed`: whether the body may leave as another than it came.
  // REQUIRES: the edits of path and query, and the replacements of headers and cookies, are in the
  // buffers.
  void begin(bool body_changed);
  // The framing and the empty line. `length`: the body's; nullopt: it comes in chunks.
  void end(bool has_body, std::optional<std::uint64_t> length);

 private:
  void write_request_line();
  void write_lines(bool body_changed);
  void write_policy_target(const HeaderLine& line, std::uint32_t index, std::size_t& next_job,
                           LineCopier& lines);

  const policies::RoutePlan& route_;
  const RequestHead& head_;
  Peer peer_;
  bool tls_;
  ExchangeBuffers& buffers_;
};

}  // namespace paravent::proxy
