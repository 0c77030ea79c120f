#include "proxy/net/proxy_protocol.h"

#include <algorithm>
#include <array>

namespace paravent::proxy::net {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMark1 = "PROXY "sv;
constexpr std::size_t kMostLine = 107;  // of version 1, CRLF included
constexpr std::string_view kMark2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixed2 = 16;  // mark, command, family, length
constexpr std::uint8_t kTlvChecksum = 0x03;

unsigned byte_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<unsigned char>(bytes[at]);
}
unsigned word_at(std::string_view bytes, std::size_t at) noexcept {
  return byte_at(bytes, at) << 8U | byte_at(bytes, at + 1);
}

// ---- version 1: a line of text ----

// Decimal, no sign, no leading zero.
bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

std::optional<IpAddress> address_of_family(std::string_view text, bool v4) noexcept {
  const auto address = read_ip_address(text);
  if (!address || (text.find(':') == std::string_view::npos) != v4) return std::nullopt;
  return address;
}

// "TCP4 SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT", or "UNKNOWN" and whatever.
ProxyStatus read_line(std::string_view line, ProxyHeader& header) {
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return ProxyStatus::done;
  const bool v4 = line.starts_with("TCP4 ");
  if (!v4 && !line.starts_with("TCP6 ")) return ProxyStatus::bad;
  line.remove_prefix(5);
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t space = line.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == words.size())) return ProxyStatus::bad;
    words[i] = line.substr(0, space);
    if (space != std::string_view::npos) line.remove_prefix(space + 1);
  }
  header.source = address_of_family(words[0], v4);
  const bool good =
      header.source && address_of_family(words[1], v4) && is_port(words[2]) && is_port(words[3]);
  return good ? ProxyStatus::done : ProxyStatus::bad;
}

ProxyStatus read_version_1(std::string_view bytes, ProxyHeader& header) {
  const std::string_view seen = bytes.substr(0, kMostLine);
  const std::size_t control = std::min(seen.find_first_of("\r\n\0"sv), seen.size());
  if (control == seen.size()) {
    return seen.size() == kMostLine ? ProxyStatus::bad : ProxyStatus::need_more;
  }
  if (seen[control] != '\r' || control + 1 == kMostLine) return ProxyStatus::bad;
  if (control + 1 == seen.size()) return ProxyStatus::need_more;
  if (seen[control + 1] != '\n') return ProxyStatus::bad;
  header.size = control + 2;
  return read_line(seen.substr(kMark1.size(), control - kMark1.size()), header);
}

// ---- version 2: binary ----

// Castagnoli's CRC-32, bit by bit: it is asked for once in a connection's life at most.
std::uint32_t crc32c(std::string_view bytes, std::size_t blank) noexcept {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // The checksum's own four bytes count as zero.
    if (i < blank || i >= blank + 4) crc ^= byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ (0x82F63B78U & (0U - (crc & 1U)));
  }
  return ~crc;
}

// Type, length, value, to the header's last byte.
bool valid_extensions(std::string_view whole, std::size_t at) noexcept {
  bool has_checksum = false;
  while (at < whole.size()) {
    if (whole.size() - at < 3) return false;
    const std::size_t length = word_at(whole, at + 1);
    const std::size_t value = at + 3;
    if (length > whole.size() - value) return false;
    if (byte_at(whole, at) == kTlvChecksum) {
      if (has_checksum || length != 4) return false;
      has_checksum = true;
      const std::uint32_t said = word_at(whole, value) << 16U | word_at(whole, value + 2);
      if (said != crc32c(whole, value)) return false;
    }
    at = value + length;
  }
  return true;
}

std::optional<IpAddress> source_at(std::string_view whole, std::size_t size) noexcept {
  IpAddress address;
  if (size == 4) address.bytes[10] = address.bytes[11] = 0xFF;
  for (std::size_t i = 0; i < size; ++i) {
    address.bytes[16 - size + i] = static_cast<std::uint8_t>(byte_at(whole, kFixed2 + i));
  }
  return address;
}

ProxyStatus read_version_2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < kFixed2) return ProxyStatus::need_more;
  const unsigned command = byte_at(bytes, 12);
  const unsigned family = byte_at(bytes, 13);
  header.size = kFixed2 + word_at(bytes, 14);
  // Version 2, LOCAL or PROXY.
  if ((command != 0x20 && command != 0x21) || header.size > kMostProxyHeader) {
    return ProxyStatus::bad;
  }
  std::size_t addresses = 0;
  switch (family) {
    case 0x00:  // unspecified
      break;
    case 0x11:  // TCP over IPv4
      addresses = 12;
      break;
    case 0x21:  // TCP over IPv6
      addresses = 36;
      break;
    case 0x31:  // a Unix stream socket
      addresses = 216;
      break;
    default:  // datagrams, and what is not defined
      return ProxyStatus::bad;
  }
  if (header.size < kFixed2 + addresses) return ProxyStatus::bad;
  if (bytes.size() < header.size) return ProxyStatus::need_more;
  const std::string_view whole = bytes.substr(0, header.size);
  // Under "unspecified" the receiver must ignore what lies behind it.
  if (family != 0x00 && !valid_extensions(whole, kFixed2 + addresses)) return ProxyStatus::bad;
  if (command == 0x21 && family == 0x11) header.source = source_at(whole, 4);
  if (command == 0x21 && family == 0x21) header.source = source_at(whole, 16);
  return ProxyStatus::done;
}

}  // namespace

ProxyStatus parse_proxy_header(std::string_view bytes, ProxyHeader& header) {
  header = {};
  const auto begins = [bytes](std::string_view mark) {
    return bytes.substr(0, mark.size()) == mark.substr(0, bytes.size());
  };
  ProxyStatus status = ProxyStatus::bad;
  if (begins(kMark1)) {
    status = bytes.size() < kMark1.size() ? ProxyStatus::need_more : read_version_1(bytes, header);
  } else if (begins(kMark2)) {
    status = bytes.size() < kMark2.size() ? ProxyStatus::need_more : read_version_2(bytes, header);
  }
  if (status != ProxyStatus::done) header = {};
  return status;
}

}  // namespace paravent::proxy::net
