#include "proxy/pipeline/upstream_head.h"

#include <optional>

#include "proxy/body/cookie.h"
#include "proxy/body/splice.h"
#include "proxy/pipeline/append_all.h"
#include "proxy/pipeline/job_edits.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::RouteMode;

namespace {

constexpr std::string_view kCrlf = "\r\n";

// Digests of the body as the client knew it; wrong once a field was replaced.
bool is_digest(std::string_view name) {
  return same_header_name(name, "Content-MD5") || same_header_name(name, "Digest") ||
         same_header_name(name, "Content-Digest") || same_header_name(name, "Repr-Digest");
}

bool is_policy_carrier_line(Carrier carrier) {
  return carrier == Carrier::header || carrier == Carrier::cookie;
}

}  // namespace

void UpstreamHead::begin(bool body_changed) {
  std::string& out = buffers_.request_head;
  write_request_line();
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
  if (!has_proto) {
    out.append(tls_ ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n");
  }
  if (!has_host) append_all(out, "X-Forwarded-Host: ", head_.host, kCrlf);
}

void UpstreamHead::end(bool has_body, std::optional<std::uint64_t> length) {
  std::string& out = buffers_.request_head;
  if (has_body && length) {
    append_all(out, "Content-Length: ", Digits(*length), "\r\n\r\n");
  } else {
    out.append(has_body ? "Transfer-Encoding: chunked\r\n\r\n" : kCrlf);
  }
}

// With the Host line behind it.
void UpstreamHead::write_request_line() {
  constexpr std::string_view kBehindTarget = " HTTP/1.1\r\nHost: ";
  std::string& out = buffers_.request_head;
  if (buffers_.path_edits.empty() && buffers_.query_edits.empty()) {
    append_all(out, head_.method_text, " ", head_.target, kBehindTarget, head_.host, kCrlf);
    return;
  }
  out.append(head_.method_text).append(" ");
  body::SplicedBytes(head_.path, buffers_.path_edits, buffers_.arena)
      .for_each_segment([&](std::string_view segment) { out.append(segment); });
  if (head_.has_query) {
    out.push_back('?');
    body::SplicedBytes(head_.query, buffers_.query_edits, buffers_.arena)
        .for_each_segment([&](std::string_view segment) { out.append(segment); });
  }
  append_all(out, kBehindTarget, head_.host, kCrlf);
}

void UpstreamHead::write_lines(bool body_changed) {
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
void UpstreamHead::write_policy_target(const HeaderLine& line, std::uint32_t index,
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
  if (replaced) {
    append_all(out, line.name, ": ", value, kCrlf);
    return;
  }
  out.append(line.name).append(": ");
  collect_edits(buffers_, Carrier::cookie, index);
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
