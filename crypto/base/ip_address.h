// Internet addresses as sixteen bytes and as text. An IPv4 address is held as its IPv4-mapped form
// (::ffff:a.b.c.d), which is also how the ipcrypt constructions take it; in text it is dotted
// decimal, anything else as RFC 5952 writes it. So each address has one text, and each sixteen
// bytes have one text. Pure functions; nothing is kept and nothing allocates once `out` has its
// capacity.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

using IpAddress = std::array<std::uint8_t, 16>;

// "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" and the like.
inline constexpr std::size_t kMaxIpText = 39;

// Any spelling of inet_pton, without zone, port, prefix length, brackets or white space; else
// ErrorKind::malformed, and `bytes` are then zero.
Status parse_ip(std::string_view text, IpAddress& bytes) noexcept;

void append_ip(const IpAddress& bytes, std::string& out);

// The same text at the beginning of `text`; its size.
std::size_t write_ip(const IpAddress& bytes, std::span<char, kMaxIpText> text) noexcept;

// The same as a value, for callers that have no use for an error.
inline std::optional<IpAddress> parse_ip(std::string_view text) noexcept {
  IpAddress address;
  if (!parse_ip(text, address)) return std::nullopt;
  return address;
}

// Whether the bytes are those of an IPv4 address.
bool is_ipv4(const IpAddress& bytes) noexcept;

}  // namespace paravent::crypto
