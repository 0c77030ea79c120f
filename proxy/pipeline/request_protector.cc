#include "proxy/pipeline/request_protector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "crypto/tokens/token_text.h"
#include "proxy/body/cookie.h"
#include "proxy/body/csv.h"
#include "proxy/body/file_ending.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/mixed.h"
#include "proxy/body/multipart.h"
#include "proxy/body/xml.h"
#include "proxy/pipeline/generalise/dates.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::RouteMode;
using policies::Shape;

namespace {

constexpr std::string_view kCrlf = "\r\n";

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7F;
  });
}

// What no server takes for more or less than one segment, escaped or not.
bool is_plain_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && !has_control(text) &&
         text.find_first_of("/\\") == std::string_view::npos;
}

// Digests of the body as the client knew it; wrong once a field was replaced.
bool is_digest(std::string_view name) {
  return same_header_name(name, "Content-MD5") || same_header_name(name, "Digest") ||
         same_header_name(name, "Content-Digest") || same_header_name(name, "Repr-Digest");
}

bool is_policy_carrier_line(Carrier carrier) {
  return carrier == Carrier::header || carrier == Carrier::cookie;
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::variant<ProtectedRequest, Refusal> RequestProtector::protect(
    const BodyPlan& plan, std::string_view body, const FieldTools& tools,
    const crypto::vault::ResolveBatch* resolved) {
  if (route_.mode != RouteMode::protect) std::abort();
  boundary_ = plan.boundary;
  text_ = body;
  decoded_ = plan.coding != body::ContentCoding::identity;
  write_address_pseudonym(tools.protector);
  if (auto refusal = protect_jobs(tools, resolved)) return std::move(*refusal);
  collect_target();
  switch (plan.codec) {
    case BodyCodec::form:
      collect_edits(Carrier::form, 0);
      if (plan.lines == policies::Lines::none) {
        body::form_edits(body, buffers_.field_edits, buffers_.body_edits);
      } else {
        body::form_line_edits(body, buffers_.lines, buffers_.field_edits, buffers_.body_edits);
      }
      break;
    case BodyCodec::multipart:
    case BodyCodec::upload:
      collect_parts();
      break;
    case BodyCodec::json:
      collect_edits(Carrier::json, 0);
      if (plan.lines == policies::Lines::none) {
        body::json_edits(body, buffers_.field_edits, buffers_.body_edits);
      } else {
        body::json_line_edits(body, buffers_.lines, buffers_.field_edits, buffers_.arena,
                              buffers_.body_edits);
      }
      break;
    case BodyCodec::mixed:
      collect_edits(Carrier::json, 0);
      body::mixed_edits(body, buffers_.lines, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::csv:
      collect_edits(Carrier::csv, 0);
      body::csv_edits(body, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::xml:
      collect_edits(Carrier::xml, 0);
      body::xml_edits(body, buffers_.field_edits, buffers_.body_edits);
      break;
    case BodyCodec::none:
    case BodyCodec::opaque:
    case BodyCodec::text:
      break;
  }
  return make(body);
}

std::optional<Refusal> RequestProtector::protect_jobs(const FieldTools& tools,
                                                      const crypto::vault::ResolveBatch* resolved) {
  for (FieldJob& job : buffers_.jobs) {
    if (job.treatment == Treatment::keep || job.treatment == Treatment::remove ||
        job.treatment == Treatment::reopen || job.treatment == Treatment::confirm) {
      continue;
    }
    if (write_replacement(job, tools, resolved)) continue;
    if (auto refusal = on_failure(job)) return refusal;
  }
  // The innermost first: what is inside of a field was opened after it.
  for (std::size_t number = buffers_.opened_count; number > 0; --number) {
    if (rebuild(number)) continue;
    FieldJob& job = buffers_.jobs[buffers_.opened[number - 1]->job];
    if (auto refusal = on_failure(job)) return refusal;
  }
  return std::nullopt;
}

void RequestProtector::collect_target() {
  if (!route_.templates.empty()) {
    collect_edits(Carrier::path, 0);
    for (const body::FieldEdit& edit : buffers_.field_edits) {
      buffers_.path_edits.push_back({edit.field.value, edit.replacement, {}});
    }
  }
  if (!head_.has_query) return;
  collect_edits(Carrier::query, 0);
  body::form_edits(head_.query, buffers_.field_edits, buffers_.query_edits);
}

// What cannot be transformed never leaves in clear; on-error may still let the request go without
// it.
std::optional<Refusal> RequestProtector::on_failure(FieldJob& job) {
  switch (job.action->on_error) {
    case policies::OnError::drop:
      if (job.carrier == Carrier::file_name) {
        job.treatment = Treatment::rename;
        job.replacement = append_file_name(kNamelessFile, job);
        return std::nullopt;
      }
      job.treatment = Treatment::remove;
      return std::nullopt;
    case policies::OnError::mask:
      if (job.carrier == Carrier::file_name) {
        job.replacement = append_file_name(kMask, job);
        return std::nullopt;
      }
      job.replacement.begin = static_cast<std::uint32_t>(buffers_.arena.size());
      if (!encode(job.carrier, kMask)) break;
      job.replacement.end = static_cast<std::uint32_t>(buffers_.arena.size());
      return std::nullopt;
    case policies::OnError::refuse:
    case policies::OnError::protect_raw:
      break;
  }
  return Refusal{Reason::transform_failed, job.action->name};
}

bool RequestProtector::rebuild(std::size_t number) {
  const OpenedField& field = *buffers_.opened[number - 1];
  FieldJob& job = buffers_.jobs[field.job];
  const Carrier carrier = carrier_inside(field.plan->form.content);
  collect_edits(carrier, 0, number);
  if (buffers_.field_edits.empty()) {
    job.treatment = Treatment::keep;
    return true;
  }
  const std::string_view inside = field.inside.in(field.text);
  std::vector<body::Edit>& edits = buffers_.inside_edits;
  edits.clear();
  if (carrier == Carrier::json) {
    body::json_edits(inside, buffers_.field_edits, edits);
  } else if (carrier == Carrier::query) {
    body::form_edits(inside, buffers_.field_edits, edits);
  } else {
    const body::FieldEdit& edit = buffers_.field_edits.front();
    edits.push_back({edit.field.whole, edit.remove ? body::Span{} : edit.replacement, {}});
  }
  ExchangeBuffers::wipe_used(buffers_.scratch);
  std::string& text = buffers_.scratch;
  text.append(field.text, 0, field.inside.begin);
  body::SplicedBytes(inside, edits, buffers_.arena).for_each_segment([&](std::string_view segment) {
    text.append(segment);
  });
  text.append(field.text, field.inside.end, std::string::npos);
  // Without the pair in front of it, a name's '?' would be the one that a query may begin with.
  if (field.plan->form.content == policies::Content::query && field.inside.begin == 0 &&
      text.starts_with('?')) {
    text.replace(0, 1, "%3F");
  }
  wrap(field, text, buffers_.value);
  job.replacement.begin = static_cast<std::uint32_t>(buffers_.arena.size());
  const bool ok = encode(job.carrier, text);
  if (!ok) buffers_.arena.resize(job.replacement.begin);
  job.replacement.end = static_cast<std::uint32_t>(buffers_.arena.size());
  return ok;
}

ProtectedRequest RequestProtector::pass(std::string_view body) {
  if (route_.mode != RouteMode::pass) std::abort();
  return make(body);
}

bool RequestProtector::write_replacement(FieldJob& job, const FieldTools& tools,
                                         const crypto::vault::ResolveBatch* resolved) {
  if (job.carrier == Carrier::file_name) return write_file_name(job, tools, resolved);
  const std::size_t begin = buffers_.arena.size();
  // `bytes`: of the text that the upstream will store, before the carrier's quotes and escapes.
  const auto done = [&](bool ok, std::size_t bytes) {
    const bool fits = job.action->max_len == 0 || bytes <= job.action->max_len;
    if (!ok || !fits) buffers_.arena.resize(begin);
    job.replacement = {static_cast<std::uint32_t>(begin),
                       static_cast<std::uint32_t>(buffers_.arena.size())};
    return ok && fits;
  };

  const bool keyed = job.treatment == Treatment::derive || job.treatment == Treatment::mint;
  // Token text is unreserved in every carrier: it goes straight into the arena, quoted for JSON.
  const bool token_text =
      job.action->shape == Shape::none && job.action->action != policies::ActionKind::shift_date;
  if (keyed && token_text && job.action->previous.empty()) {
    if (job.carrier == Carrier::json) buffers_.arena.push_back('"');
    const std::size_t text_begin = buffers_.arena.size();
    if (!write_keyed(job, tools.protector, resolved, buffers_.arena)) return done(false, 0);
    const std::size_t bytes = buffers_.arena.size() - text_begin;
    if (job.carrier == Carrier::json) buffers_.arena.push_back('"');
    return done(true, bytes);
  }

  ExchangeBuffers::wipe_used(buffers_.scratch);
  if (keyed) {
    if (!write_keyed(job, tools.protector, resolved, buffers_.scratch)) return done(false, 0);
    if (job.action->shape == Shape::email) {
      buffers_.scratch.append("@").append(route_.token_mail_domain);
    }
  } else if (is_keyed(job.action->action)) {
    buffers_.scratch.append(kMask);  // on-error: mask, decided when normalisation failed
  } else {
    const std::string_view value = job.clear.in(buffers_.clear);
    if (!tools.transforms.apply(*job.action, value, tools.clock, buffers_.scratch))
      return done(false, 0);
  }
  const std::size_t bytes = buffers_.scratch.size();
  if (!encode(job.carrier, buffers_.scratch)) return done(false, 0);
  if (keyed && !job.action->previous.empty() && tools.protector.has_previous(job.action->slot) &&
      !write_previous(job, tools.protector)) {
    return done(false, 0);
  }
  return done(true, bytes);
}

// The pseudonym of the epoch before, as a field of its own behind this one, so that whoever counts
// visitors can join both while the epochs overlap.
bool RequestProtector::write_previous(const FieldJob& job, crypto::FieldProtector& protector) {
  ExchangeBuffers::wipe_used(buffers_.scratch);
  if (!protector.protect_previous(job.action->slot, form_of(job), job.clear.in(buffers_.clear),
                                  buffers_.scratch)) {
    return false;
  }
  if (job.action->shape == Shape::email) {
    buffers_.scratch.append("@").append(route_.token_mail_domain);
  }
  std::string& out = buffers_.arena;
  switch (job.carrier) {
    case Carrier::form:
    case Carrier::query:
      out.push_back('&');
      body::encode_form_value(job.action->previous, out);
      out.push_back('=');
      break;
    case Carrier::json:
      out.push_back(',');
      body::encode_json_string(job.action->previous, out);
      out.push_back(':');
      break;
    case Carrier::header:
      out.append(kCrlf).append(job.action->previous).append(": ");
      break;
    case Carrier::cookie:
      out.append("; ").append(job.action->previous).append("=");
      break;
    case Carrier::multipart:
    case Carrier::path:
    case Carrier::csv:
    case Carrier::xml:
    case Carrier::value:
    case Carrier::file_name:
    case Carrier::file_content:
      return false;  // the policy's check lets none of these through
  }
  return encode(job.carrier, buffers_.scratch);
}

crypto::ProtectForm RequestProtector::form_of(const FieldJob& job) {
  return {.kind = job.action->kind,
          .shape = job.action->shape,
          .length = job.action->shape_length,
          .bits = job.action->bits,
          .scope_id = job.scope_id,
          .scope = job.action->scope};
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

// The subject's own shift, so that the distances between one person's dates stay true. Without a
// subject there is none: a new one for every request would be noise that averages out.
bool RequestProtector::write_shifted(const FieldJob& job, crypto::FieldProtector& protector,
                                     std::string& out) {
  if (!buffers_.subject || buffers_.several_subjects) return false;
  const std::string_view subject = buffers_.subject->in(buffers_.clear);
  const auto number = protector.keyed_number(job.action->slot, subject);
  if (!number) return false;
  const std::int32_t days = days_of_shift(*number, job.action->options.days);
  return shift_date(job.clear.in(buffers_.clear), days, out).has_value();
}

bool RequestProtector::write_keyed(const FieldJob& job, crypto::FieldProtector& protector,
                                   const crypto::vault::ResolveBatch* resolved, std::string& out) {
  if (job.treatment == Treatment::mint) {
    if (resolved == nullptr || job.vault_job >= resolved->jobs.size()) std::abort();
    const auto& answer = resolved->jobs[job.vault_job];
    if (answer.shaped_size > 0) {
      out.append(answer.shaped_text());
    } else {
      crypto::write_vault_token(answer.key_id, answer.id, out);
    }
    return true;
  }
  if (job.action->action == policies::ActionKind::shift_date) {
    return write_shifted(job, protector, out);
  }
  const std::string_view value = job.clear.in(buffers_.clear);
  crypto::ProtectForm form = form_of(job);
  if (job.action->subject_bound) {
    if (resolved == nullptr || !resolved->subject) std::abort();
    form.subject = &resolved->subject->seal;
  }
  return protector.protect(job.action->slot, form, value, out).has_value();
}

bool RequestProtector::encode(Carrier carrier, std::string_view text) {
  switch (carrier) {
    case Carrier::form:
    case Carrier::query:
      body::encode_form_value(text, buffers_.arena);
      return true;
    case Carrier::json:
      body::encode_json_string(text, buffers_.arena);
      return true;
    case Carrier::multipart:
      if (!body::multipart_value_is_safe(text, boundary_)) return false;
      break;
    case Carrier::cookie:
      if (!body::cookie_value_is_safe(text)) return false;
      break;
    case Carrier::header:
      if (has_control(text)) return false;
      break;
    case Carrier::csv:
      return body::encode_csv_value(text, buffers_.arena);
    case Carrier::xml:
      return body::encode_xml_value(text, buffers_.arena);
    case Carrier::path:
      if (!is_plain_segment(text)) return false;
      body::encode_form_value(text, buffers_.arena);
      return true;
    case Carrier::value:
    case Carrier::file_content:
      break;
    case Carrier::file_name:
      if (!body::file_name_is_safe(text)) return false;
      break;
  }
  buffers_.arena.append(text);
  return true;
}

// The edits of one carrier (for cookies: of one header line), in the order of the bytes.
void RequestProtector::collect_edits(Carrier carrier, std::uint32_t line, std::size_t layer) {
  buffers_.field_edits.clear();
  for (const FieldJob& job : buffers_.jobs) {
    if (job.carrier != carrier || job.line != line || job.layer != layer ||
        job.treatment == Treatment::keep || job.treatment == Treatment::confirm) {
      continue;
    }
    buffers_.field_edits.push_back(
        {job.field, job.replacement, job.treatment == Treatment::remove});
  }
}

ProtectedRequest RequestProtector::make(std::string_view body) {
  ProtectedRequest request;
  request.body_ = body::SplicedBytes(body, buffers_.body_edits, buffers_.arena);
  const bool method_has_body = head_.method != Method::get && head_.method != Method::head;
  has_body_ = !body.empty() || method_has_body;
  begin_head(decoded_ || !request.body_.untouched());
  end_head(request.body_.size());
  finish(request);
  return request;
}

void RequestProtector::finish(ProtectedRequest& request) {
  request.head_ = buffers_.request_head;
  request.upstream_ = route_.upstream;
  request.is_head_request_ = head_.method == Method::head;
  request.may_retry_ = head_.method == Method::get || head_.method == Method::head;
}

void RequestProtector::begin_head(bool body_changed) {
  std::string& out = buffers_.request_head;
  write_request_line();
  out.append("Host: ").append(head_.host).append(kCrlf);
  write_lines(body_changed);
  append_client_address(route_, head_, peer_, buffers_.address, out);
  const bool forwarded_kept = peer_.trusted;
  bool has_proto = false;
  bool has_host = false;
  if (forwarded_kept) {
    for (const HeaderLine& line : head_.headers) {
      has_proto = has_proto || line.id == HeaderName::x_forwarded_proto;
      has_host = has_host || line.id == HeaderName::x_forwarded_host;
    }
  }
  if (!has_proto) out.append("X-Forwarded-Proto: ").append(tls_ ? "https" : "http").append(kCrlf);
  if (!has_host) out.append("X-Forwarded-Host: ").append(head_.host).append(kCrlf);
}

void RequestProtector::end_head(std::optional<std::uint64_t> length) {
  std::string& out = buffers_.request_head;
  if (has_body_ && length) {
    out.append("Content-Length: ");
    append_number(out, *length);
    out.append(kCrlf);
  } else if (has_body_) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  out.append(kCrlf);
}

void RequestProtector::write_request_line() {
  std::string& out = buffers_.request_head;
  out.append(head_.method_text).append(" ");
  body::SplicedBytes(head_.path, buffers_.path_edits, buffers_.arena)
      .for_each_segment([&](std::string_view segment) { out.append(segment); });
  if (head_.has_query) {
    out.push_back('?');
    body::SplicedBytes(head_.query, buffers_.query_edits, buffers_.arena)
        .for_each_segment([&](std::string_view segment) { out.append(segment); });
  }
  out.append(" HTTP/1.1\r\n");
}

void RequestProtector::write_lines(bool body_changed) {
  std::string& out = buffers_.request_head;
  std::size_t next_job = 0;
  while (next_job < buffers_.jobs.size() &&
         (buffers_.jobs[next_job].layer != 0 ||
          !is_policy_carrier_line(buffers_.jobs[next_job].carrier))) {
    ++next_job;
  }
  LineCopier lines(out);
  for (std::uint32_t i = 0; i < head_.headers.size(); ++i) {
    const HeaderLine& line = head_.headers[i];
    switch (line.id) {
      case HeaderName::connection:
      case HeaderName::content_length:
      case HeaderName::expect:
      case HeaderName::keep_alive:
      case HeaderName::proxy_connection:
      case HeaderName::te:
      case HeaderName::trailer:
      case HeaderName::transfer_encoding:
      case HeaderName::upgrade:
      case HeaderName::host:
      case HeaderName::internal:
        break;
      case HeaderName::address_family:
        if (address_line_passes(route_.client_address, peer_)) lines.copy(line);
        break;
      case HeaderName::x_forwarded_host:
      case HeaderName::x_forwarded_proto:
        if (peer_.trusted) lines.copy(line);
        break;
      case HeaderName::content_type:
        lines.copy(line);
        break;
      case HeaderName::content_encoding:
        // A body that was read goes on without its coding.
        if (route_.mode == RouteMode::pass) lines.copy(line);
        break;
      case HeaderName::other:
        if (body_changed && is_digest(line.name)) break;
        write_policy_target(line, i, next_job, lines);
        break;
      case HeaderName::accept:
      case HeaderName::cookie:
      case HeaderName::date:
      case HeaderName::server:
      case HeaderName::user_agent:
        write_policy_target(line, i, next_job, lines);
        break;
    }
  }
  lines.flush();
}

// A header that rules may name. Its jobs, if any, are the next ones in the list, behind those of
// lines that were left out whole (digests).
void RequestProtector::write_policy_target(const HeaderLine& line, std::uint32_t index,
                                           std::size_t& next_job, LineCopier& lines) {
  bool remove = false;
  bool cookies = false;
  bool replaced = false;
  std::string_view value;
  for (; next_job < buffers_.jobs.size(); ++next_job) {
    const FieldJob& job = buffers_.jobs[next_job];
    if (job.layer != 0) continue;
    if (!is_policy_carrier_line(job.carrier) || job.line > index) break;
    if (job.line < index) continue;
    if (job.treatment == Treatment::keep || job.treatment == Treatment::confirm) continue;
    if (job.carrier == Carrier::cookie) {
      cookies = true;
    } else if (job.treatment == Treatment::remove) {
      remove = true;
    } else {
      value = job.replacement.in(buffers_.arena);
      replaced = true;
    }
  }
  if (remove) return;
  if (!cookies && !replaced) {
    lines.copy(line);
    return;
  }
  lines.flush();
  std::string& out = buffers_.request_head;
  const std::size_t start = out.size();
  out.append(line.name).append(": ");
  if (replaced) {
    out.append(value).append(kCrlf);
    return;
  }
  collect_edits(Carrier::cookie, index);
  buffers_.cookie_edits.clear();
  body::cookie_edits(line.value, buffers_.field_edits, buffers_.cookie_edits);
  const body::SplicedBytes spliced(line.value, buffers_.cookie_edits, buffers_.arena);
  if (spliced.size() == 0) {
    out.resize(start);  // every cookie was dropped: no line at all
    return;
  }
  spliced.for_each_segment([&](std::string_view segment) { out.append(segment); });
  out.append(kCrlf);
}

}  // namespace paravent::proxy
