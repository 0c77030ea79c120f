#include "proxy/pipeline/route_group.h"

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
  const RoutePlan* route = first_admitting(*first.route, admitted);
  for (std::variant<BodyPlan, Refusal> other; route != nullptr;) {
    const auto* plan = std::get_if<BodyPlan>(&other);
    if (plan != nullptr && plan->codec == BodyCodec::upload) return other;
    route = policy_.route_after(*route, head_.method_text, host_, head_.path);
    if (route != nullptr) other = admit(policy_, {route, nullptr, true}, head_, limits_);
  }
  return admitted;
}

template <typename Read>
std::optional<Refusal> RouteGroup::choose_by(Read read, RouteMatch& match, BodyPlan& plan) const {
  const auto take = [&]() -> std::optional<Refusal> {
    auto taken = admit(policy_, match, head_, limits_);
    if (const auto* refusal = std::get_if<Refusal>(&taken)) return *refusal;
    plan = std::get<BodyPlan>(taken);
    return std::nullopt;
  };
  for (const RoutePlan* route = match.route; route != nullptr;
       route = policy_.route_after(*route, head_.method_text, host_, head_.path)) {
    ConditionBits bits;
    if (route->match_when != 0) {
      if (auto refusal = read(*route, bits)) return refusal;
    }
    const Answer answer = answer_of(bits, route->match_when);
    if (answer == Answer::no) continue;
    match.route = route;
    if (answer == Answer::unclear) return unclear(*route, route->match_when & bits.unclear);
    return take();
  }
  match = policy_.without_route(head_.method_text, host_, head_.path);
  if (match.route == nullptr) return Refusal{Reason::no_route, {}};
  return take();
}

std::optional<Refusal> RouteGroup::choose(std::string_view body, body::ContentDecoder& decoder,
                                          body::JsonScanners& json_scanners,
                                          ExchangeBuffers& buffers, RouteMatch& match,
                                          BodyPlan& plan) const {
  std::variant<BodyPlan, Refusal> admitted;
  const RoutePlan* const reader = first_admitting(*match.route, admitted);
  if (reader == nullptr) return std::get<Refusal>(admitted);
  BodyPlan reading = std::get<BodyPlan>(admitted);
  std::string_view text = body;
  if (auto refusal = settle_body(*reader, limits_, decoder, buffers.decoded, reading, text)) {
    return refusal;
  }
  const auto read = [&](const RoutePlan& route, ConditionBits& bits) {
    return ConditionReader(route, head_, buffers).read(reading, text, json_scanners, bits);
  };
  return choose_by(read, match, plan);
}

std::optional<Refusal> RouteGroup::choose(std::string_view text,
                                          std::span<const body::MultipartStream::Part> parts,
                                          ExchangeBuffers& buffers, RouteMatch& match,
                                          BodyPlan& plan,
                                          std::deque<StreamedConditions>& watched) const {
  const auto read = [&](const RoutePlan& route, ConditionBits& bits) -> std::optional<Refusal> {
    StreamedConditions& conditions = watched.emplace_back(route, head_, buffers);
    if (auto refusal = conditions.read_head()) return refusal;
    if (auto refusal = conditions.read_parts(text, parts)) return refusal;
    conditions.decide(route.match_when);
    bits = conditions.bits();
    return std::nullopt;
  };
  return choose_by(read, match, plan);
}

}  // namespace paravent::proxy
