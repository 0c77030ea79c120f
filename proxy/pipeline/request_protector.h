// RequestProtector: phase 6. Field jobs become edits, edits become a ProtectedRequest; the only
// maker of one.
//
// Pure computation on bytes: no clock, no network, no store. Everything the request borrows lies in
// the ExchangeBuffers, the head and the body given here, which must stay until the exchange has its
// answer. Untouched bytes stay byte-identical; the framing is always our own.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "crypto/tokens/field_protector.h"
#include "crypto/vault/api/messages.h"
#include "policies/plan/route_plan.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/client_address.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/field_transforms.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/protected_request.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/pipeline/upstream_head.h"

namespace paravent::proxy {

class RequestProtector {
 public:
  RequestProtector(const policies::RoutePlan& route, const RequestHead& head, const Peer& peer,
                   bool tls, ExchangeBuffers& buffers)
      : route_(route),
        head_(head),
        peer_(peer),
        buffers_(buffers),
        upstream_head_(route, head, peer, tls, buffers) {}

  // `resolved` answers the jobs treated by minting; null when there are none. REQUIRES: the route's
  // mode is protect, and the jobs in the buffers come from a scan of exactly this head and body.
  std::variant<ProtectedRequest, Refusal> protect(const BodyPlan& plan, std::string_view body,
                                                  const FieldTools& tools,
                                                  const crypto::vault::ResolveBatch* resolved);

  // The same for a body that is streamed (upload.h). First the edits, into body_edits, of a piece
  // of which `text` is the part between files; then, once, the request, whose body is sent by
  // pieces.
  std::optional<Refusal> protect_piece(const BodyPlan& plan, std::string_view text, bool first,
                                       const FieldTools& tools,
                                       const crypto::vault::ResolveBatch* resolved);
  // `body_changed`: whether the body may leave as another than it came.
  void begin_head(bool body_changed) { upstream_head_.begin(body_changed); }
  // `length`: of the whole body, where that is known. REQUIRES: begin_head, after the first piece's
  // edits and before the second's.
  ProtectedRequest begin_upload(std::optional<std::uint64_t> length, ProtectedPiece piece);

  // For a route that the policy declares unprotected, by name. REQUIRES: the route's mode is pass.
  ProtectedRequest pass(std::string_view body);

 private:
  void write_address_pseudonym(crypto::FieldProtector& protector);
  void collect_target();
  void collect_body(const BodyPlan& plan, std::string_view body);
  void collect_parts(std::string_view text);
  ProtectedRequest make(std::string_view body);
  void finish(ProtectedRequest& request);

  const policies::RoutePlan& route_;
  const RequestHead& head_;
  Peer peer_;
  ExchangeBuffers& buffers_;
  UpstreamHead upstream_head_;
  bool decoded_ = false;  // the body came in a content coding
};

}  // namespace paravent::proxy
