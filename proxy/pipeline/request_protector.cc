#include "proxy/pipeline/request_protector.h"

#include <algorithm>
#include <cstdlib>

#include "proxy/body/csv.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/mixed.h"
#include "proxy/body/multipart.h"
#include "proxy/body/xml.h"
#include "proxy/pipeline/job_edits.h"
#include "proxy/pipeline/replacement_writer.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::RouteMode;

std::variant<ProtectedRequest, Refusal> RequestProtector::protect(
    const BodyPlan& plan, std::string_view body, const FieldTools& tools,
    const crypto::vault::ResolveBatch* resolved) {
  if (route_.mode != RouteMode::protect) std::abort();
  decoded_ = plan.coding != body::ContentCoding::identity;
  write_address_pseudonym(tools.protector);
  ReplacementWriter replacements(route_, {plan.boundary, body}, tools, resolved, buffers_);
  if (auto refusal = replacements.write_all()) return std::move(*refusal);
  collect_target();
  collect_body(plan, body);
  return make(body);
}

std::optional<Refusal> RequestProtector::protect_piece(
    const BodyPlan& plan, std::string_view text, bool first, const FieldTools& tools,
    const crypto::vault::ResolveBatch* resolved) {
  if (route_.mode != RouteMode::protect) std::abort();
  if (first) write_address_pseudonym(tools.protector);
  ReplacementWriter replacements(route_, {plan.boundary, text}, tools, resolved, buffers_);
  if (auto refusal = replacements.write_all()) return refusal;
  if (first) collect_target();
  collect_parts(text);
  return std::nullopt;
}

ProtectedRequest RequestProtector::begin_upload(std::optional<std::uint64_t> length,
                                                ProtectedPiece piece) {
  upstream_head_.end(true, length);
  ProtectedRequest request;
  request.streamed_ = true;
  request.piece_ = piece;
  finish(request);
  return request;
}

ProtectedRequest RequestProtector::pass(std::string_view body) {
  if (route_.mode != RouteMode::pass) std::abort();
  return make(body);
}

void RequestProtector::write_address_pseudonym(crypto::FieldProtector& protector) {
  if (route_.client_address != policies::ClientAddress::pseudonym) return;
  const std::size_t begin = buffers_.clear.size();
  append_believed_address(head_, peer_, buffers_.clear);
  const std::string_view address = std::string_view(buffers_.clear).substr(begin);
  if (address.empty()) return;
  const crypto::ProtectForm form{.kind = crypto::Kind::ip, .shape = route_.address_shape};
  // Without a pseudonym no address is told at all.
  static_cast<void>(protector.protect(route_.address_slot, form, address, buffers_.address));
}

void RequestProtector::collect_target() {
  if (!route_.templates.empty()) {
    collect_edits(buffers_, Carrier::path);
    for (const body::FieldEdit& edit : buffers_.field_edits) {
      buffers_.path_edits.push_back({edit.field.value, edit.replacement, {}});
    }
  }
  if (!head_.has_query) return;
  collect_edits(buffers_, Carrier::query);
  body::form_edits(head_.query, buffers_.field_edits, buffers_.query_edits);
}

void RequestProtector::collect_body(const BodyPlan& plan, std::string_view body) {
  switch (plan.codec) {
    case BodyCodec::form:
      collect_edits(buffers_, Carrier::form);
      if (plan.lines == policies::Lines::none) {
        body::form_edits(body, buffers_.field_edits, buffers_.body_edits);
      } else {
        body::form_line_edits(body, buffers_.lines, buffers_.field_edits, buffers_.body_edits);
      }
      break;
    case BodyCodec::multipart:
    case BodyCodec::upload:
      collect_parts(body);
      break;
    case BodyCodec::json:
      collect_edits(buffers_, Carrier::json);
      if (plan.lines == policies::Lines::none) {
        body::json_edits(body, buffers_.field_edits, buffers_.body_edits);
      } else {
        body::json_line_edits(body, buffers_.lines, buffers_.field_edits, buffers_.arena,
                              buffers_.body_edits);
      }
      break;
    case BodyCodec::mixed:
      collect_edits(buffers_, Carrier::json);
      body::mixed_edits(body, buffers_.lines, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::csv:
      collect_edits(buffers_, Carrier::csv);
      body::csv_edits(body, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::xml:
      collect_edits(buffers_, Carrier::xml);
      body::xml_edits(body, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::none:
    case BodyCodec::opaque:
    case BodyCodec::text:
      break;
  }
}

// Names of files lie in the heads of parts, between the values.
void RequestProtector::collect_parts(std::string_view text) {
  collect_edits(buffers_, Carrier::multipart);
  body::multipart_edits(text, buffers_.field_edits, buffers_.body_edits);
  const std::size_t others = buffers_.body_edits.size();
  for (const FieldJob& job : buffers_.jobs) {
    if (job.carrier != Carrier::file_name || job.treatment == Treatment::keep) continue;
    buffers_.body_edits.push_back({job.field.value, job.replacement, {}});
  }
  if (others == 0 || others == buffers_.body_edits.size()) return;
  std::inplace_merge(
      buffers_.body_edits.begin(),
      buffers_.body_edits.begin() + static_cast<std::ptrdiff_t>(others), buffers_.body_edits.end(),
      [](const body::Edit& a, const body::Edit& b) { return a.at.begin < b.at.begin; });
}

ProtectedRequest RequestProtector::make(std::string_view body) {
  ProtectedRequest request;
  request.body_ = body::SplicedBytes(body, buffers_.body_edits, buffers_.arena);
  const bool method_has_body = head_.method != Method::get && head_.method != Method::head;
  const bool has_body = !body.empty() || method_has_body;
  upstream_head_.begin(decoded_ || !request.body_.untouched());
  upstream_head_.end(has_body, request.body_.size());
  finish(request);
  return request;
}

void RequestProtector::finish(ProtectedRequest& request) {
  request.head_ = buffers_.request_head;
  request.upstream_ = route_.upstream;
  request.is_head_request_ = head_.method == Method::head;
  request.may_retry_ = head_.method == Method::get || head_.method == Method::head;
}

}  // namespace paravent::proxy
