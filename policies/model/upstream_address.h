// UpstreamAddress: where a route sends its requests: http://host[:port], https://host[:port] or
// unix:/path. Nothing behind the host: the path of the request is the client's.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace paravent::policies {

struct UpstreamAddress {
  std::string host;  // lower case; an IPv6 address without its brackets; empty for a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;
  bool tls = false;  // https
  std::string text;  // as written
};

struct UpstreamFault {
  std::string message;
  std::string hint;
};

// Whether both lead to the same place in the same way, however they are written.
inline bool same_target(const UpstreamAddress& a, const UpstreamAddress& b) {
  return a.host == b.host && a.port == b.port && a.unix_path == b.unix_path && a.tls == b.tls;
}

// Whether what is said to it stays on this machine: a Unix socket, or a loopback address in digits.
// Of a name that is for whoever resolves it to say.
bool is_loopback(const UpstreamAddress& address) noexcept;

std::variant<UpstreamAddress, UpstreamFault> parse_upstream(std::string_view text);

// Lower-case letters, digits, '-' and '.', labels of 1 to 63, 253 at most (RFC 1123 2.1); a last
// label of digits only is refused, because that is a mistyped address.
bool is_host_name(std::string_view text) noexcept;
bool is_ipv4(std::string_view text) noexcept;
bool is_ipv6(std::string_view text) noexcept;

}  // namespace paravent::policies
