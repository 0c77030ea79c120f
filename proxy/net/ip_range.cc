#include "proxy/net/ip_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace paravent::proxy::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

crypto::Error bad_range(std::string_view text) {
  return {crypto::ErrorKind::configuration,
          "'" + std::string(text.substr(0, 64)) +
              "' is no address range; write for example 10.0.0.0/8 or 2001:db8::/32."};
}

bool bit(const IpAddress& address, unsigned index) noexcept {
  return (address.bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

}  // namespace

bool IpAddress::is_v4() const noexcept {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool IpAddress::is_unspecified() const noexcept {
  const auto first = is_v4() ? bytes.begin() + 12 : bytes.begin();
  return std::all_of(first, bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  const void* const source = is_v4() ? bytes.data() + 12 : bytes.data();
  inet_ntop(is_v4() ? AF_INET : AF_INET6, source, buffer, sizeof buffer);
  return buffer;
}

std::optional<IpAddress> read_ip_address(std::string_view text) noexcept {
  // inet_pton reads a C string: what lies behind a NUL would not be seen.
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), copy.begin());
  IpAddress address;
  if (inet_pton(AF_INET6, copy.data(), address.bytes.data()) == 1) return address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  if (inet_pton(AF_INET, copy.data(), address.bytes.data() + 12) == 1) return address;
  return std::nullopt;
}

crypto::Result<IpAddress> parse_ip_address(std::string_view text) {
  const auto address = read_ip_address(text);
  if (!address) return bad_range(text);
  return *address;
}

IpAddress ip_address_of(const sockaddr_storage& address) noexcept {
  IpAddress result;
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    std::memcpy(result.bytes.data(), &v6.sin6_addr, 16);
  } else if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::copy(kMapped.begin(), kMapped.end(), result.bytes.begin());
    std::memcpy(result.bytes.data() + 12, &v4.sin_addr, 4);
  }
  return result;
}

crypto::Result<IpRange> IpRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return bad_range(text);
  IpRange range;
  range.base_ = *address;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits[0] == '0' && digits.size() > 1)) {
      return bad_range(text);
    }
    unsigned bits = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return bad_range(text);
      bits = bits * 10 + static_cast<unsigned>(c - '0');
    }
    const unsigned offset = range.base_.is_v4() ? 96 : 0;
    if (bits + offset > 128) return bad_range(text);
    range.bits_ = bits + offset;
  }
  for (unsigned i = range.bits_; i < 128; ++i) {
    if (bit(range.base_, i)) return bad_range(text);
  }
  return range;
}

bool IpRange::contains(const IpAddress& address) const noexcept {
  const unsigned whole = bits_ / 8;
  if (!std::equal(base_.bytes.begin(), base_.bytes.begin() + whole, address.bytes.begin())) {
    return false;
  }
  for (unsigned i = whole * 8; i < bits_; ++i) {
    if (bit(base_, i) != bit(address, i)) return false;
  }
  return true;
}

bool contains(std::span<const IpRange> ranges, const IpAddress& address) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const IpRange& range) { return range.contains(address); });
}

}  // namespace paravent::proxy::net
