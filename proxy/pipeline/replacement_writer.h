// ReplacementWriter: the half of phase 6 that makes values. What each field job of a request, or of
// a piece of a streamed one, is replaced by, spelt for its carrier.
//
// Lives for one call on one thread; writes into ExchangeBuffers::arena. What cannot be transformed
// never leaves in clear: its rule's on-error says whether the request goes without it or not at
// all.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/vault/api/messages.h"
#include "policies/plan/route_plan.h"
#include "proxy/body/field.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/field_transforms.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

class ReplacementWriter {
 public:
  // Where the fields of the body lie.
  struct Source {
    std::string_view boundary;  // of a multipart body
    std::string_view text;      // the body, or the piece of it, that file names lie in
  };

  // `resolved` answers the jobs treated by minting; null when there are none. All of it outlives
  // the writer.
  ReplacementWriter(const policies::RoutePlan& route, const Source& source, const FieldTools& tools,
                    const crypto::vault::ResolveBatch* resolved, ExchangeBuffers& buffers)
      : route_(route), source_(source), tools_(tools), resolved_(resolved), buffers_(buffers) {}

  // The replacement of every job, those inside of opened fields first; or why the request is
  // refused.
  std::optional<Refusal> write_all();

 private:
  bool write(FieldJob& job);
  bool write_text(const FieldJob& job, std::string& out);
  bool write_keyed(const FieldJob& job, std::string& out);
  bool write_shifted(const FieldJob& job, std::string& out);
  bool write_previous(const FieldJob& job);
  bool write_file_name(FieldJob& job);
  body::Span append_file_name(std::string_view name, const FieldJob& job);
  bool encode(policies::Carrier carrier, std::string_view text);
  std::optional<Refusal> on_failure(FieldJob& job);
  // Makes the replacement of the opened field of this number out of the edits inside of it.
  bool rebuild(std::size_t number);

  const policies::RoutePlan& route_;
  Source source_;
  const FieldTools& tools_;
  const crypto::vault::ResolveBatch* resolved_;
  ExchangeBuffers& buffers_;
};

}  // namespace paravent::proxy
