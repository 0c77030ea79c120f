// The PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): what a load balancer
// writes in front of a connection's first byte to say whose connection it is. Read strictly: one
// accepted spelling of version 1, every length of version 2 checked, its checksum too where there
// is one.
//
// Pure functions on bytes. Only to be believed when a trusted proxy sends it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/net/ip_range.h"

namespace paravent::proxy::net {

// Longer headers than this are refused; HAProxy keeps to 536 bytes, TLS details included.
inline constexpr std::size_t kMostProxyHeader = 2048;

enum class ProxyStatus : std::uint8_t { need_more, done, bad };

struct ProxyHeader {
  std::size_t size = 0;  // bytes in front of the connection's own
  // Whose connection it is; nothing when the proxy speaks for itself (LOCAL, UNKNOWN) or when the
  // client has no IP address.
  std::optional<IpAddress> source;
};

// `bytes` begins with the connection's first byte. The answer does not depend on how they were cut.
// done: `header` is set.
ProxyStatus parse_proxy_header(std::string_view bytes, ProxyHeader& header);

}  // namespace paravent::proxy::net
