// What an upload would be refused for on its way, and a body that is held would not: for `explain`,
// which reads recorded requests whole. The same steps as Upload's (proxy/pipeline/upload.h), over
// the stretches between two files, without anything being protected or sent.

#pragma once

#include <optional>
#include <string_view>

#include "policies/plan/policy_plan.h"
#include "proxy/body/json_scanners.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/limits.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/pipeline/route_group.h"

namespace paravent::proxy::main {

// `group` and `first`: of a request that fields tell apart; null: `match` was the only one. The
// refusal's field lies in the plan. REQUIRES: plan.codec is upload, or match is of a group one of
// whose routes would stream.
std::optional<Refusal> check_streamed(const policies::RouteMatch& match, const RouteGroup* group,
                                      const policies::RouteMatch& first, const RequestHead& head,
                                      const BodyPlan& plan, std::string_view body,
                                      const Limits& limits, body::JsonScanners& json_scanners);

}  // namespace paravent::proxy::main
