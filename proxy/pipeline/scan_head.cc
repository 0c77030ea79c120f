// The scanner on what the head holds: named path segments, the query, header fields, cookies.

#include <algorithm>
#include <vector>

#include "proxy/body/cookie.h"
#include "proxy/body/find_stop.h"
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

// The named segments of every one of the route's paths that this one is, each segment once: of two
// names for it the one that is protected, else the first.
bool RequestScanner::scan_path() {
  std::vector<PathField>& fields = buffers_.path_fields;
  fields.clear();
  std::size_t paths = 0;
  for (const policies::PathPattern& path : route_.templates) {
    if (!path.matches(head_.path)) continue;
    ++paths;
    for (const policies::PathParameter& parameter : path.parameters()) {
      const FieldAction* action = find(Carrier::path, parameter.name);
      if (action == nullptr) continue;
      const auto known = std::find_if(fields.begin(), fields.end(), [&](const PathField& field) {
        return field.parameter->segment == parameter.segment;
      });
      if (known == fields.end()) {
        fields.push_back({&parameter, action});
      } else if (policies::is_keep(*known->action) && !policies::is_keep(*action)) {
        *known = {&parameter, action};
      }
    }
  }
  if (paths > 1) {
    std::sort(fields.begin(), fields.end(), [](const PathField& a, const PathField& b) {
      return a.parameter->segment < b.parameter->segment;
    });
  }
  return std::all_of(fields.begin(), fields.end(), [this](const PathField& path_field) {
    const policies::PathParameter& parameter = *path_field.parameter;
    const std::string_view segment = policies::path_segment(head_.path, parameter.segment);
    body::Field field;
    field.value.begin = static_cast<std::uint32_t>(segment.data() - head_.path.data());
    field.value.end = field.value.begin + static_cast<std::uint32_t>(segment.size());
    field.whole = field.value;
    return take(Carrier::path, parameter.name, 0, field, segment, path_field.action);
  });
}

std::optional<Refusal> RequestScanner::scan_query() {
  if (!head_.has_query) return std::nullopt;
  FlatFieldVisitor visitor(*this, Carrier::query, head_.query);
  return finish(body::scan_form(head_.query, {}, buffers_.scratch, visitor));
}

// Whether some readers (Python's, old servlet containers) find a cookie inside of this one's value,
// behind a blank or a comma, that a rule does not keep, while this value goes on as it is. There
// are no control bytes in it (scan_cookies).
bool RequestScanner::hides_cookie(std::string_view value, const FieldAction* action) const {
  const bool goes_on =
      action == nullptr ? route_.unlisted_cookie == Unlisted::keep : policies::is_keep(*action);
  if (!goes_on || !route_.has_rules(Carrier::cookie)) return false;
  const char* const end = value.data() + value.size();
  const auto next = [end](const char* from) {
    return body::find_stop<body::HighBytes::pass, ' ', ','>(from, end);
  };
  for (const char* at = next(value.data()); at != end; at = next(at)) {
    while (at != end && (*at == ' ' || *at == ',')) ++at;
    const char* const begin = at;
    at = body::find_stop<body::HighBytes::pass, ' ', ',', '='>(at, end);
    const char* behind = at;
    while (behind != end && *behind == ' ') ++behind;
    if (behind == end || *behind != '=') continue;
    const FieldAction* hidden =
        find(Carrier::cookie, {begin, static_cast<std::size_t>(at - begin)});
    if (hidden != nullptr && !policies::is_keep(*hidden)) return true;
  }
  return false;
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
