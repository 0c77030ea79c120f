#include "proxy/pipeline/settle_body.h"

#include "proxy/pipeline/other_format.h"

namespace paravent::proxy {
namespace {

using policies::Carrier;

constexpr std::string_view kGzipMagic = "\x1F\x8B";  // RFC 1952 2.3.1

std::optional<Refusal> decode(const BodyPlan& plan, body::ContentDecoder& decoder,
                              std::string& buffer, std::string_view& body) {
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

BodyCodec codec_of(const policies::RoutePlan& route, std::string_view body) {
  const char first = first_byte(body);
  const bool braced = first == '{' || first == '[';
  const bool may_be_form = route.text_plain.form && route.accepts(Carrier::form);
  const bool may_be_json = route.text_plain.json && route.accepts(Carrier::json);
  if (may_be_json && (braced || !may_be_form)) return BodyCodec::json;
  return may_be_form && !is_another_format(body) ? BodyCodec::form : BodyCodec::none;
}

}  // namespace

std::optional<Refusal> settle_body(const policies::RoutePlan& route, const Limits& limits,
                                   body::ContentDecoder& decoder, std::string& buffer,
                                   BodyPlan& plan, std::string_view& body) {
  if (plan.codec == BodyCodec::none || plan.codec == BodyCodec::opaque) return std::nullopt;
  if (plan.maybe_gzip && body.starts_with(kGzipMagic)) plan.coding = body::ContentCoding::gzip;
  if (plan.coding != body::ContentCoding::identity) {
    if (auto refusal = decode(plan, decoder, buffer, body)) return refusal;
  }
  if (plan.codec == BodyCodec::form && is_another_format(body)) {
    return Refusal{Reason::unsupported_type, {}};
  }
  if (plan.codec != BodyCodec::text) return std::nullopt;
  plan.codec = codec_of(route, body);
  if (plan.codec == BodyCodec::none) return Refusal{Reason::unsupported_type, {}};
  const std::size_t limit = plan.codec == BodyCodec::json ? limits.json_bytes : limits.form_bytes;
  if (body.size() > limit) return Refusal{Reason::too_large, {}};
  return std::nullopt;
}

}  // namespace paravent::proxy
