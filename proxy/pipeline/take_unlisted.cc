// The scanner on a field that no rule is about, and fields' names as a sender or explain sees them.

#include <string>

#include "crypto/tokens/token_detector.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::Unlisted;

namespace {

constexpr std::size_t kShownNameBytes = 64;
constexpr std::string_view kInto = " > ";

// At most kShownNameBytes, and never half a character: the name goes into JSON.
std::string_view shown_name(std::string_view name) {
  if (name.size() <= kShownNameBytes) return name;
  std::size_t end = kShownNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end);
}

std::string_view carrier_prefix(Carrier carrier) {
  switch (carrier) {
    case Carrier::form:
      return "form.";
    case Carrier::json:
      return "json";
    case Carrier::multipart:
      return "multipart.";
    case Carrier::query:
      return "query.";
    case Carrier::header:
      return "header.";
    case Carrier::cookie:
      return "cookie.";
    case Carrier::path:
      return "path.";
    case Carrier::csv:
      return "csv.";
    case Carrier::xml:
      return "xml.";
    case Carrier::value:
    case Carrier::file_name:
    case Carrier::file_content:
      break;
  }
  return "";
}

Unlisted unlisted_rule(const policies::RoutePlan& route, Carrier carrier) {
  if (carrier == Carrier::header) return route.unlisted_header;
  if (carrier == Carrier::cookie) return route.unlisted_cookie;
  return route.unlisted;
}

}  // namespace

bool RequestScanner::take_unlisted(Carrier carrier, std::string_view name, std::uint32_t line,
                                   const body::Field& field, std::string_view raw) {
  const Unlisted rule = unlisted_rule(route_, carrier);
  if (observer_ != nullptr && rule != Unlisted::encrypt) {
    observer_->on_field(full_name(carrier, name), raw, false,
                        rule == Unlisted::keep ? nullptr : &route_.unlisted_action);
  }
  if (field.is_file && rule != Unlisted::refuse) return refuse(Reason::unsupported_type, {});
  switch (rule) {
    case Unlisted::refuse:
      buffers_.refused_name.assign(outer_ != nullptr ? outer_->name : std::string_view())
          .append(outer_ != nullptr ? kInto : std::string_view())
          .append(carrier_prefix(carrier))
          .append(shown_name(name));
      return refuse(Reason::unlisted_field, buffers_.refused_name);
    case Unlisted::keep:
      if (may_hold_token(carrier) && crypto::contains_token(decode(carrier, field, raw))) {
        return refuse(Reason::own_token, route_.unlisted_action.name);
      }
      return true;
    case Unlisted::drop: {
      FieldJob job;
      job.action = &route_.unlisted_action;
      job.carrier = carrier;
      job.line = line;
      job.layer = layer_;
      job.field = field;
      job.treatment = Treatment::remove;
      return add(job);
    }
    case Unlisted::encrypt:
      return take(carrier, name, line, field, raw, &route_.unlisted_action, false);
  }
  return false;
}

// For explain.
std::string RequestScanner::full_name(Carrier carrier, std::string_view name) const {
  std::string text;
  if (outer_ != nullptr) text.append(outer_->name).append(kInto);
  return text.append(carrier_prefix(carrier)).append(name);
}

}  // namespace paravent::proxy
