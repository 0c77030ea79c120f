// The host that routes are matched on: the Host header without its port, in lower case. Pure.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy {

// A view of `lower`, whose capacity is reused. REQUIRES: `host` is a valid authority
// (RequestHead::host).
inline std::string_view match_host(std::string_view host, std::string& lower) {
  if (const std::size_t colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  lower.assign(host);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace paravent::proxy
