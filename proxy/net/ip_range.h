// IpAddress and IpRange: addresses of peers and the ranges a configuration names (RFC 4632, RFC
// 4291).
//
// IPv4 is kept as ::ffff:a.b.c.d, so that a peer on a dual-stack listener is the same peer. Plain
// values.

#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy::net {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const noexcept;
  bool is_unspecified() const noexcept;  // 0.0.0.0 or ::
  // "192.0.2.1", "2001:db8::1"; never the mapped form.
  std::string text() const;
  bool operator==(const IpAddress&) const = default;
};

// One spelling: what inet_pton reads, without brackets, zone or port. Allocates nothing.
std::optional<IpAddress> read_ip_address(std::string_view text) noexcept;
// The same, with a sentence for whoever wrote it.
crypto::Result<IpAddress> parse_ip_address(std::string_view text);
// Of an AF_INET or AF_INET6 socket address; anything else is unspecified.
IpAddress ip_address_of(const sockaddr_storage& address) noexcept;

class IpRange {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. Bits behind the prefix must be zero: a range
  // that says more than it means is a slip.
  static crypto::Result<IpRange> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept;

 private:
  IpAddress base_;
  unsigned bits_ = 128;  // of the mapped form
};

bool contains(std::span<const IpRange> ranges, const IpAddress& address) noexcept;

}  // namespace paravent::proxy::net
