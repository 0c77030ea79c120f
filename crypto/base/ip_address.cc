#include "crypto/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void append_number(std::string& out, unsigned value, int base) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  out.append(digits.data(), end.ptr);
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

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  if (text.empty() || text.size() >= terminated.size() ||
      text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::memcpy(terminated.data(), text.data(), text.size());
  IpAddress address{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
  const bool valid =
      ::inet_pton(AF_INET, terminated.data(), address.data() + kMappedPrefix.size()) == 1 ||
      ::inet_pton(AF_INET6, terminated.data(), address.data()) == 1;
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(terminated.data()), terminated.size()));
  if (!valid) return std::nullopt;
  return address;
}

bool is_ipv4(const IpAddress& address) noexcept {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

void append_ip(const IpAddress& address, std::string& out) {
  if (is_ipv4(address)) {
    for (std::size_t i = kMappedPrefix.size(); i < address.size(); ++i) {
      if (i > kMappedPrefix.size()) out.push_back('.');
      append_number(out, address[i], 10);
    }
    return;
  }
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>((address[2 * i] << 8) | address[2 * i + 1]);
  }
  const Run run = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size();) {
    if (i == run.begin) {
      out.append("::");
      i += run.length;
      continue;
    }
    if (i > 0 && i != run.begin + run.length) out.push_back(':');
    append_number(out, groups[i], 16);
    ++i;
  }
}

}  // namespace paravent::crypto
