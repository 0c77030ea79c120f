#include "proxy/pipeline/generalise/bare_address.h"

#include <algorithm>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

// ":" and one to five digits, or nothing.
bool is_port(std::string_view text) noexcept {
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() < 2 || text.size() > 6) return false;
  return std::all_of(text.begin() + 1, text.end(), generalise::is_digit);
}

std::string_view without_zone(std::string_view text) noexcept {
  if (text.find(':') == std::string_view::npos) return text;
  const std::size_t percent = text.find('%');
  // A zone has a name; without one this is no address.
  return percent == std::string_view::npos || percent + 1 == text.size() ? text
                                                                         : text.substr(0, percent);
}

}  // namespace

std::string_view bare_address(std::string_view text) noexcept {
  text = generalise::trimmed(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_port(text.substr(end + 1))) return text;
    const std::string_view inside = text.substr(1, end - 1);
    // Brackets are for IPv6 only.
    return inside.find(':') == std::string_view::npos ? text : without_zone(inside);
  }
  const std::size_t colon = text.find(':');
  const bool one_colon = colon != std::string_view::npos && colon == text.rfind(':');
  if (one_colon && is_port(text.substr(colon))) return text.substr(0, colon);
  return without_zone(text);
}

}  // namespace paravent::proxy
