// The scanner on what the head holds: named path segments, the query, header fields, cookies.

#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/pipeline/field_visitors.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::FieldAction;
using policies::Unlisted;

std::optional<Refusal> RequestScanner::scan_head() {
  buffers_.required_seen.assign(route_.required.size(), 0);
  buffers_.delimiters.assign(route_.delimiters.size(), {});
  if (route_.has_rules(Carrier::path) && !scan_path()) return refusal_;
  if (auto refusal = scan_query()) return refusal;
  return scan_headers();
}

// The named segments of the first of the route's paths that this one is.
bool RequestScanner::scan_path() {
  for (const policies::PathPattern& path : route_.templates) {
    if (!path.matches(head_.path)) continue;
    for (const policies::PathParameter& parameter : path.parameters()) {
      const std::string_view segment = policies::path_segment(head_.path, parameter.segment);
      body::Field field;
      field.value.begin = static_cast<std::uint32_t>(segment.data() - head_.path.data());
      field.value.end = field.value.begin + static_cast<std::uint32_t>(segment.size());
      field.whole = field.value;
      const FieldAction* action = find(Carrier::path, parameter.name);
      if (action != nullptr && !take(Carrier::path, parameter.name, 0, field, segment, action)) {
        return false;
      }
    }
    return true;
  }
  return true;
}

std::optional<Refusal> RequestScanner::scan_query() {
  if (!head_.has_query) return std::nullopt;
  FlatFieldVisitor visitor(*this, Carrier::query, head_.query);
  return finish(body::scan_form(head_.query, {}, buffers_.scratch, visitor));
}

std::optional<Refusal> RequestScanner::scan_headers() {
  const bool header_rules =
      route_.has_rules(Carrier::header) || route_.unlisted_header != Unlisted::keep;
  const bool cookie_rules =
      route_.has_rules(Carrier::cookie) || route_.unlisted_cookie != Unlisted::keep;
  if (!header_rules && !cookie_rules) return std::nullopt;
  for (std::uint32_t i = 0; i < head_.headers.size(); ++i) {
    const HeaderLine& line = head_.headers[i];
    if (!is_policy_target(line.id)) continue;
    if (header_rules) {
      body::Field field;
      field.value.end = static_cast<std::uint32_t>(line.value.size());
      field.whole = field.value;
      const FieldAction* action = find(Carrier::header, line.name);
      // The agent and the accepted types say nothing about a person that a rule must be demanded
      // for.
      const bool cookie_line = line.id == HeaderName::cookie;
      if ((action != nullptr || (line.id == HeaderName::other && !cookie_line)) &&
          !take(Carrier::header, line.name, i, field, line.value, action)) {
        return refusal_;
      }
    }
    if (cookie_rules && line.id == HeaderName::cookie) {
      FlatFieldVisitor visitor(*this, Carrier::cookie, line.value, i);
      if (auto refusal = finish(body::scan_cookies(line.value, {}, visitor))) return refusal;
    }
  }
  return std::nullopt;
}

}  // namespace paravent::proxy
