#include "crypto/base/ip_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

char* put_number(char* p, unsigned value, int base) noexcept {
  constexpr std::ptrdiff_t kLongest = 4;  // ffff, or 255
  return std::to_chars(p, p + kLongest, value, base).ptr;
}

char* put_ipv4(char* p, const std::uint8_t* bytes) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *p++ = '.';
    p = put_number(p, bytes[i], 10);
  }
  return p;
}

using Groups = std::array<std::uint16_t, 8>;

struct Run {
  std::size_t begin = 8;
  std::size_t length = 0;
};

// The run that "::" stands for: the longest of at least two zero groups, the first of equals (4.2).
Run longest_zero_run(const Groups& groups) noexcept {
  Run best;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = end + 1;
  }
  return best;
}

char* put_ipv6(char* p, const IpAddress& bytes) noexcept {
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>((bytes[2 * i] << 8) | bytes[2 * i + 1]);
  }
  const Run run = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size();) {
    if (i == run.begin) {
      *p++ = ':';
      *p++ = ':';
      i += run.length;
      continue;
    }
    if (i > 0 && i != run.begin + run.length) *p++ = ':';
    p = put_number(p, groups[i], 16);
    ++i;
  }
  return p;
}

}  // namespace

Status parse_ip(std::string_view text, IpAddress& bytes) noexcept {
  bytes = {};
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  if (text.empty() || text.size() >= terminated.size() || text.find('\0') != text.npos) {
    return Error(ErrorKind::malformed);
  }
  std::memcpy(terminated.data(), text.data(), text.size());
  Status status;
  if (::inet_pton(AF_INET, terminated.data(), bytes.data() + kMappedPrefix.size()) == 1) {
    std::memcpy(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size());
  } else if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) {
    bytes = {};
    status = Error(ErrorKind::malformed);
  }
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(terminated.data()), terminated.size()));
  return status;
}

bool is_ipv4(const IpAddress& bytes) noexcept {
  return std::memcmp(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

std::size_t write_ip(const IpAddress& bytes, std::span<char, kMaxIpText> text) noexcept {
  const char* end = is_ipv4(bytes) ? put_ipv4(text.data(), bytes.data() + kMappedPrefix.size())
                                   : put_ipv6(text.data(), bytes);
  return static_cast<std::size_t>(end - text.data());
}

void append_ip(const IpAddress& bytes, std::string& out) {
  std::array<char, kMaxIpText> text;
  out.append(text.data(), write_ip(bytes, text));
}

}  // namespace paravent::crypto
