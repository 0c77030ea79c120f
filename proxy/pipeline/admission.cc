#include "proxy/pipeline/admission.h"

#include <string>

#include "policies/plan/json_matcher.h"
#include "proxy/body/form.h"
#include "proxy/pipeline/match_host.h"

namespace paravent::proxy {
namespace {

using policies::Carrier;
using policies::RouteMode;
using policies::RoutePlan;

// Looks for a query name that the rules of the path's routes list.
class ListedNameFinder final : public body::FlatVisitor {
 public:
  ListedNameFinder(const policies::PolicyPlan& plan, const RequestHead& head)
      : plan_(plan), path_(head.path), host_(match_host(head.host, lower_host_)) {}
  bool on_field(std::string_view name, const body::Field&) override {
    found_ = plan_.is_listed(host_, path_, name);
    return !found_;
  }
  bool found() const { return found_; }

 private:
  const policies::PolicyPlan& plan_;
  std::string_view path_;
  std::string lower_host_;
  std::string_view host_;
  bool found_ = false;
};

bool has_body(const RequestHead& head) {
  return head.framing == BodyFraming::chunked ||
         (head.framing == BodyFraming::length && head.content_length > 0);
}

// On a protected path `elsewhere` lets pages through and nothing that could carry the form's
// fields.
bool elsewhere_may_pass(const policies::PolicyPlan& plan, const RequestHead& head) {
  if (head.method != Method::get && head.method != Method::head) return false;
  if (has_body(head)) return false;
  std::string lower_host;
  if (plan.holds_fields(match_host(head.host, lower_host), head.path)) return false;
  if (!head.has_query) return true;
  ListedNameFinder finder(plan, head);
  std::string scratch;
  const auto status = body::scan_form(head.query, {}, scratch, finder);
  return status == body::ScanStatus::ok && !finder.found();
}

const HeaderLine* only_line(const RequestHead& head, HeaderName name, bool& repeated) {
  const HeaderLine* found = nullptr;
  repeated = false;
  for (const HeaderLine& line : head.headers) {
    if (line.id != name) continue;
    if (found != nullptr) repeated = true;
    found = &line;
  }
  return found;
}

// multipart/mixed is taken on where some rule says what becomes of attachments, be it to refuse
// them.
bool takes_attachments(const RoutePlan& route) {
  return route.json_matcher() != nullptr && route.json_matcher()->ends_in("attachment");
}

BodyCodec codec_for(const RoutePlan& route, const body::ContentType& type) {
  switch (type.type) {
    case body::MediaType::form:
      return route.accepts(Carrier::form) ? BodyCodec::form : BodyCodec::none;
    case body::MediaType::multipart:
      if (!route.accepts(Carrier::multipart)) return BodyCodec::none;
      return route.streams_files ? BodyCodec::upload : BodyCodec::multipart;
    case body::MediaType::json:
      return route.accepts(Carrier::json) ? BodyCodec::json : BodyCodec::none;
    case body::MediaType::text:
      return route.text_plain.any() ? BodyCodec::text : BodyCodec::none;
    case body::MediaType::mixed:
      return takes_attachments(route) ? BodyCodec::mixed : BodyCodec::none;
    case body::MediaType::csv:
      return route.accepts(Carrier::csv) ? BodyCodec::csv : BodyCodec::none;
    case body::MediaType::xml:
      return route.accepts(Carrier::xml) ? BodyCodec::xml : BodyCodec::none;
    case body::MediaType::lines:
      return route.lines != policies::Lines::none && route.accepts(Carrier::json) ? BodyCodec::json
                                                                                  : BodyCodec::none;
    case body::MediaType::none:
    case body::MediaType::other:
      return BodyCodec::none;
  }
  return BodyCodec::none;
}

// Before the client is asked to go on.
std::variant<BodyPlan, Refusal> admit_upload(const RequestHead& head, const Limits& limits,
                                             const BodyPlan& plan) {
  const std::uint64_t most = limits.file_bytes + plan.limit;
  if (head.framing == BodyFraming::length && head.content_length > most) {
    return Refusal{Reason::too_large, {}};
  }
  return plan;
}

}  // namespace

std::variant<BodyPlan, Refusal> admit(const policies::PolicyPlan& policy,
                                      const policies::RouteMatch& match, const RequestHead& head,
                                      const Limits& limits) {
  const RoutePlan& route = *match.route;
  if (match.protected_route != nullptr && !elsewhere_may_pass(policy, head)) {
    return Refusal{Reason::method, {}};
  }
  BodyPlan plan;
  if (!has_body(head)) return plan;

  if (route.mode == RouteMode::pass) {
    plan.codec = BodyCodec::opaque;
    plan.limit = limits.json_bytes;
  } else {
    bool repeated = false;
    const HeaderLine* encoding = only_line(head, HeaderName::content_encoding, repeated);
    if (repeated) return Refusal{Reason::unsupported_encoding, {}};
    if (encoding != nullptr) {
      const auto coding = body::parse_content_coding(encoding->value);
      if (!coding) return Refusal{Reason::unsupported_encoding, {}};
      plan.coding = *coding;
    }
    const HeaderLine* type_line = only_line(head, HeaderName::content_type, repeated);
    if (repeated) return Refusal{Reason::framing, {}};
    if (type_line == nullptr) {
      plan.codec = route.text_plain.any() ? BodyCodec::text : BodyCodec::none;
    } else {
      const auto type = body::parse_content_type(type_line->value);
      if (!type || !type->utf8) return Refusal{Reason::unsupported_type, {}};
      plan.codec = codec_for(route, *type);
      plan.boundary = type->boundary;
    }
    if (plan.codec == BodyCodec::none) return Refusal{Reason::unsupported_type, {}};
    const bool maybe_json = plan.codec == BodyCodec::json || plan.codec == BodyCodec::text;
    if (maybe_json) plan.lines = route.lines;
    const bool document = maybe_json || plan.codec == BodyCodec::mixed ||
                          plan.codec == BodyCodec::csv || plan.codec == BodyCodec::xml;
    plan.limit = document ? limits.json_bytes : limits.form_bytes;
    if (plan.codec == BodyCodec::upload) {
      // What expands without end is not streamed.
      if (plan.coding != body::ContentCoding::identity) {
        return Refusal{Reason::unsupported_encoding, {}};
      }
      return admit_upload(head, limits, plan);
    }
    plan.maybe_gzip = plan.codec == BodyCodec::text && route.text_plain.gzip &&
                      plan.coding == body::ContentCoding::identity;
  }
  if (head.framing == BodyFraming::length && head.content_length > plan.limit) {
    return Refusal{Reason::too_large, {}};
  }
  return plan;
}

}  // namespace paravent::proxy
