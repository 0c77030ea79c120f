#include "proxy/pipeline/route_group.h"

#include <bit>

#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/settle_body.h"

namespace paravent::proxy {

using policies::RouteMatch;
using policies::RoutePlan;

const RoutePlan* RouteGroup::first_admitting(const RoutePlan& route,
                                             std::variant<BodyPlan, Refusal>& admitted) const {
  bool refused = false;
  for (const RoutePlan* next = &route; next != nullptr;
       next = policy_.route_after(*next, head_.method_text, host_, head_.path)) {
    auto answer = admit(policy_, {next, nullptr, true}, head_, limits_);
    const bool ok = std::holds_alternative<BodyPlan>(answer);
    if (ok || !refused) admitted = answer;
    if (ok) return next;
    refused = true;
  }
  return nullptr;
}

std::variant<BodyPlan, Refusal> RouteGroup::admit_any(const RouteMatch& first) const {
  std::variant<BodyPlan, Refusal> admitted;
  static_cast<void>(first_admitting(*first.route, admitted));
  return admitted;
}

std::optional<Refusal> RouteGroup::choose(std::string_view body, body::ContentDecoder& decoder,
                                          body::JsonScanners& json_scanners,
                                          ExchangeBuffers& buffers, RouteMatch& match,
                                          BodyPlan& plan) const {
  const RoutePlan* const first = match.route;
  std::variant<BodyPlan, Refusal> admitted;
  const RoutePlan* const reader = first_admitting(*first, admitted);
  if (reader == nullptr) return std::get<Refusal>(admitted);
  BodyPlan reading = std::get<BodyPlan>(admitted);
  std::string_view text = body;
  if (auto refusal = settle_body(*reader, limits_, decoder, buffers.decoded, reading, text)) {
    return refusal;
  }
  for (const RoutePlan* route = first; route != nullptr;
       route = policy_.route_after(*route, head_.method_text, host_, head_.path)) {
    ConditionBits bits;
    if (route->match_when != 0) {
      ConditionReader conditions(*route, head_, buffers);
      if (auto refusal = conditions.read(reading, text, json_scanners, bits)) return refusal;
    }
    switch (answer_of(bits, route->match_when)) {
      case Answer::no:
        continue;
      case Answer::unclear: {
        match.route = route;
        const int bit = std::countr_zero(route->match_when & bits.unclear);
        return Refusal{Reason::ambiguous_field,
                       route->conditions[static_cast<std::size_t>(bit)].text};
      }
      case Answer::yes:
        break;
    }
    match.route = route;
    auto taken = admit(policy_, match, head_, limits_);
    if (const auto* refusal = std::get_if<Refusal>(&taken)) return *refusal;
    plan = std::get<BodyPlan>(taken);
    return std::nullopt;
  }
  match = policy_.without_route(head_.method_text, host_, head_.path);
  if (match.route == nullptr) return Refusal{Reason::no_route, {}};
  auto taken = admit(policy_, match, head_, limits_);
  if (const auto* refusal = std::get_if<Refusal>(&taken)) return *refusal;
  plan = std::get<BodyPlan>(taken);
  return std::nullopt;
}

}  // namespace paravent::proxy
