// What a received body is, before anything reads it: without its content coding, and, where its
// type does not say, form or JSON by its first bytes (payloads.md C2). The codecs and the upstream
// see the same bytes; the type goes on as it came.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/plan/route_plan.h"
#include "proxy/body/content_coding.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/limits.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// Settles `plan` and points `body` at the decoded bytes in `buffer`; both stay as they are where
// there is nothing to settle. The refusal where the body is not what it says, or too large for it.
std::optional<Refusal> settle_body(const policies::RoutePlan& route, const Limits& limits,
                                   body::ContentDecoder& decoder, std::string& buffer,
                                   BodyPlan& plan, std::string_view& body);

}  // namespace paravent::proxy
