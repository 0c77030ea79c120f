#include "proxy/pipeline/generalise/truncate_address.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "crypto/base/ip_address.h"
#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::IpAddress;

void keep_bits(std::span<std::uint8_t> bytes, std::uint32_t bits) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint32_t first_bit = static_cast<std::uint32_t>(i) * 8;
    if (first_bit >= bits) {
      bytes[i] = 0;
    } else if (bits - first_bit < 8) {
      bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xFFU << (8 - (bits - first_bit))));
    }
  }
}

void zero_from(IpAddress& address, std::size_t byte) noexcept {
  std::fill(address.begin() + static_cast<std::ptrdiff_t>(byte), address.end(), std::uint8_t{0});
}

bool begins_with(const IpAddress& address, std::initializer_list<std::uint8_t> prefix) noexcept {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

bool is_isatap(const IpAddress& address) noexcept {
  // The interface identifier is [00|02]00:5efe and the IPv4 address (RFC 5214 6.1).
  return (address[8] & 0xFDU) == 0 && address[9] == 0 && address[10] == 0x5E && address[11] == 0xFE;
}

void keep_ipv6_bits(IpAddress& address, std::uint32_t bits) noexcept {
  std::uint32_t most = 128;
  if (begins_with(address, {0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01})) most = 48;
  if (is_isatap(address)) most = 64;
  if (begins_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) ||
      begins_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0})) {
    most = 96;
  }
  keep_bits(address, std::min(bits, most));
}

void cut(IpAddress& address, std::uint32_t ipv4_bits, std::uint32_t ipv6_bits) noexcept {
  const std::span<std::uint8_t> bytes(address);
  if (crypto::is_ipv4(address) ||
      begins_with(address, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    keep_bits(bytes.subspan(12, 4), ipv4_bits);
  } else if (begins_with(address, {0x20, 0x02})) {
    keep_bits(bytes.subspan(2, 4), ipv4_bits);
    zero_from(address, 6);
  } else if (begins_with(address, {0x20, 0x01, 0x00, 0x00})) {
    // The client's address stands there with every bit turned over (RFC 4380 4).
    const auto client = bytes.subspan(12, 4);
    for (std::uint8_t& byte : client) byte = static_cast<std::uint8_t>(~byte);
    keep_bits(client, ipv4_bits);
    for (std::uint8_t& byte : client) byte = static_cast<std::uint8_t>(~byte);
    std::fill_n(address.begin() + 4, 8, std::uint8_t{0});
  } else {
    keep_ipv6_bits(address, ipv6_bits);
  }
}

}  // namespace

crypto::Status truncate_address(std::string_view text, std::uint32_t ipv4_bits,
                                std::uint32_t ipv6_bits, std::string& out) {
  std::optional<IpAddress> address = crypto::parse_ip(generalise::trimmed(text));
  if (!address) return Error(ErrorKind::malformed);
  cut(*address, ipv4_bits, ipv6_bits);
  crypto::append_ip(*address, out);
  return {};
}

}  // namespace paravent::proxy
