// Addresses of machines as 16 bytes, and their one spelling.
//
// Inside, an IPv4 address is the IPv4-mapped IPv6 address ::ffff:a.b.c.d, so that both spellings
// are one value. Pure functions without heap; any thread. Sources: RFC 4291 (form), RFC 5952
// (spelling).

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paravent::crypto {

using IpAddress = std::array<std::uint8_t, 16>;

// Dotted decimal without leading zeros, or any spelling of an IPv6 address. No white space, zone,
// port, prefix length or brackets.
std::optional<IpAddress> parse_ip(std::string_view text) noexcept;

bool is_ipv4(const IpAddress& address) noexcept;

// IPv4 dotted, IPv6 as RFC 5952 writes it, without its dotted forms.
void append_ip(const IpAddress& address, std::string& out);

}  // namespace paravent::crypto
