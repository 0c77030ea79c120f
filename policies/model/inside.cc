#include "policies/model/inside.h"

namespace paravent::policies {

std::optional<Wrapping> wrapping_of(std::string_view word) noexcept {
  if (word == "base64") return Wrapping::base64;
  if (word == "base64url") return Wrapping::base64url;
  if (word == "percent") return Wrapping::percent;
  if (word == "gzip") return Wrapping::gzip;
  return std::nullopt;
}

std::optional<Content> content_of(std::string_view word) noexcept {
  if (word == "value") return Content::value;
  if (word == "json") return Content::json;
  if (word == "query") return Content::query;
  if (word == "url") return Content::url;
  if (word == "mailto") return Content::mailto;
  return std::nullopt;
}

Carrier carrier_inside(Content content) noexcept {
  switch (content) {
    case Content::json:
      return Carrier::json;
    case Content::query:
    case Content::url:
      return Carrier::query;
    case Content::value:
    case Content::mailto:
      break;
  }
  return Carrier::value;
}

}  // namespace paravent::policies
