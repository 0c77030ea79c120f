// HeaderName: the header fields that the gateway itself acts on, told apart once when a head is
// parsed. Everything else is `other` and only the policy looks at it. Pure functions, no
// allocation.

#pragma once

#include <cstdint>
#include <string_view>

namespace paravent::policies {

enum class HeaderName : std::uint8_t {
  other,
  // Framing and hop-by-hop (RFC 9110 7.6.1): never forwarded, the gateway writes its own.
  connection,
  content_length,
  expect,
  keep_alive,
  proxy_connection,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  // Acted on by admission or respond.
  accept,
  content_encoding,
  content_type,
  cookie,
  date,
  host,
  server,
  user_agent,
  x_forwarded_host,
  x_forwarded_proto,
  // The header family that carries the client's address or a place derived from it; one rule,
  // `client-address`, governs them all (list: docs/policy-reference.md).
  address_family,
  // Spoofable internals removed from every request: X-HTTP-Method-Override and its like, Proxy.
  internal,
};

// Case-insensitive. REQUIRES: `name` is a token (RFC 9110 5.6.2).
HeaderName header_name(std::string_view name) noexcept;

// True for the names that stop at the gateway in both directions.
constexpr bool is_hop_by_hop(HeaderName name) noexcept {
  return name >= HeaderName::connection && name <= HeaderName::upgrade &&
         name != HeaderName::content_length && name != HeaderName::expect;
}

// True for the request's headers that rules may name; the gateway handles the others itself.
constexpr bool is_policy_target(HeaderName name) noexcept {
  switch (name) {
    case HeaderName::other:
    case HeaderName::accept:
    case HeaderName::cookie:
    case HeaderName::date:
    case HeaderName::server:
    case HeaderName::user_agent:
      return true;
    default:
      return false;
  }
}

// Compares two header names without case.
bool same_header_name(std::string_view a, std::string_view b) noexcept;

}  // namespace paravent::policies
