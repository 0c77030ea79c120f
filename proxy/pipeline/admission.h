// Admission: phase 2, whether this route takes on this request at all, decided from the head alone.
//
// Framing and syntax were settled by the strict parser; here it is types, encodings and sizes,
// before a byte of the body is read (so a refusal precedes 100 Continue). Pure; no state.

#pragma once

#include <cstddef>
#include <variant>

#include "policies/plan/policy_plan.h"
#include "proxy/body/content_coding.h"
#include "proxy/body/media_type.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/limits.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

enum class BodyCodec : std::uint8_t {
  none,
  form,
  multipart,
  upload,  // multipart, streamed
  json,
  mixed,
  csv,
  xml,
  opaque,
  text,  // form or json: settled when the body is there (settle_body.h)
};

struct BodyPlan {
  BodyCodec codec = BodyCodec::none;
  // How the body comes; it is read, and goes on, without.
  body::ContentCoding coding = body::ContentCoding::identity;
  policies::Lines lines = policies::Lines::none;  // form, json: how many documents it holds
  bool maybe_gzip = false;                        // text: a body that begins as gzip does is packed
  std::string_view boundary;                      // multipart, mixed
  std::size_t limit = 0;  // bytes, as it comes and once decoded; upload: of the fields
};

// `match` is what `policy` answered for this head, with a route in it.
std::variant<BodyPlan, Refusal> admit(const policies::PolicyPlan& policy,
                                      const policies::RouteMatch& match, const RequestHead& head,
                                      const Limits& limits);

}  // namespace paravent::proxy
