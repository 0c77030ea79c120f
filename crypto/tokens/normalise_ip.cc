// Addresses: IPv4 dotted decimal without leading zeros, IPv6 as RFC 5952 writes it, an IPv4-mapped
// address as its IPv4. No zone, port, prefix length or brackets.

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/utf8.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void append_number(std::string& out, unsigned value, int base) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  out.append(digits.data(), end.ptr);
}

void append_ipv4(const std::uint8_t* bytes, std::string& out) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    append_number(out, bytes[i], 10);
  }
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

void append_ipv6(const std::array<std::uint8_t, 16>& bytes, std::string& out) {
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>((bytes[2 * i] << 8) | bytes[2 * i + 1]);
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

}  // namespace

Status normalise_ip(std::string_view value, std::string& out) {
  WrittenText written;
  if (is_ascii(value)) {
    value = trim(value);
  } else if (written.read(value)) {  // pasted together with a mark that nobody sees
    value = written.text();
  }
  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  if (value.empty() || value.size() >= text.size() || value.find('\0') != std::string_view::npos) {
    return Error(ErrorKind::malformed);
  }
  std::memcpy(text.data(), value.data(), value.size());
  std::array<std::uint8_t, 16> bytes{};
  Status status;
  if (::inet_pton(AF_INET, text.data(), bytes.data()) == 1) {
    append_ipv4(bytes.data(), out);
  } else if (::inet_pton(AF_INET6, text.data(), bytes.data()) == 1) {
    if (std::memcmp(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
      append_ipv4(bytes.data() + kMappedPrefix.size(), out);
    } else {
      append_ipv6(bytes, out);
    }
  } else {
    status = Error(ErrorKind::malformed);
  }
  wipe(bytes);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  return status;
}

}  // namespace paravent::crypto
