// The body without its content coding, before anything reads it: the codecs and the upstream see
// the same bytes.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/body/content_coding.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// Points `body` at the decoded bytes in `buffer`, or leaves both alone for a body without a coding.
// The refusal where it cannot be decoded within the plan's limit.
inline std::optional<Refusal> decode_body(const BodyPlan& plan, body::ContentDecoder& decoder,
                                          std::string& buffer, std::string_view& body) {
  if (plan.coding == body::ContentCoding::identity || plan.codec == BodyCodec::none) {
    return std::nullopt;
  }
  switch (decoder.decode(plan.coding, body, plan.limit, buffer)) {
    case body::ScanStatus::ok:
      body = buffer;
      return std::nullopt;
    case body::ScanStatus::too_large:
      return Refusal{Reason::too_large, {}};
    default:
      return Refusal{Reason::malformed_body, {}};
  }
}

}  // namespace paravent::proxy
