// Routes of one method, host and path that fields of the message tell apart (`match.when`).
//
// Which one it is shows when the whole message is there: until then what any of them takes on is
// admitted, and nothing is decided. Nothing of the message goes anywhere before the choice. Where a
// route of the group lets files through, what comes before the first file decides, and nothing
// behind it may decide otherwise.

#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "policies/plan/policy_plan.h"
#include "proxy/body/content_coding.h"
#include "proxy/body/json_scanners.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/limits.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

class RouteGroup {
 public:
  // `host`: as match_host() has it. Everything is borrowed for the time of the calls.
  RouteGroup(const policies::PolicyPlan& policy, const RequestHead& head, std::string_view host,
             const Limits& limits)
      : policy_(policy), head_(head), host_(host), limits_(limits) {}

  static bool is_group(const policies::RouteMatch& match) noexcept {
    return match.route != nullptr && match.route->match_when != 0;
  }

  // As admit(), of the first route that takes the message on, or of one that would stream it; else
  // the refusal of the first one.
  std::variant<BodyPlan, Refusal> admit_any(const policies::RouteMatch& first) const;

  // Replaces `match` by the first route whose conditions hold, and `plan` by what it makes of the
  // body. The refusal where the message is unreadable, where it depends on the reader which route
  // it is, or where none takes it; then `match` has no route, or the one that refused.
  std::optional<Refusal> choose(std::string_view body, body::ContentDecoder& decoder,
                                body::JsonScanners& json_scanners, ExchangeBuffers& buffers,
                                policies::RouteMatch& match, BodyPlan& plan) const;
  // The same by the parts in front of the first file. `watched`: what decided it; each has to be
  // shown everything that follows.
  std::optional<Refusal> choose(std::string_view text,
                                std::span<const body::MultipartStream::Part> parts,
                                ExchangeBuffers& buffers, policies::RouteMatch& match,
                                BodyPlan& plan, std::deque<StreamedConditions>& watched) const;

 private:
  // `read`: RoutePlan, ConditionBits& -> std::optional<Refusal>.
  template <typename Read>
  std::optional<Refusal> choose_by(Read read, policies::RouteMatch& match, BodyPlan& plan) const;
  // The first route from `route` on that admits the message; nullptr: none.
  const policies::RoutePlan* first_admitting(const policies::RoutePlan& route,
                                             std::variant<BodyPlan, Refusal>& admitted) const;

  const policies::PolicyPlan& policy_;
  const RequestHead& head_;
  std::string_view host_;
  const Limits& limits_;
};

}  // namespace paravent::proxy
