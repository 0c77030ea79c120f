#include "proxy/pipeline/field_transform.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <span>

#include "crypto/tokens/normaliser.h"
#include "proxy/pipeline/user_agent.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using policies::ActionKind;
using policies::FieldAction;

void keep_bits(std::span<std::uint8_t> address, std::uint32_t bits) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    const std::uint32_t first_bit = static_cast<std::uint32_t>(i) * 8;
    if (first_bit >= bits) {
      address[i] = 0;
    } else if (bits - first_bit < 8) {
      address[i] = static_cast<std::uint8_t>(address[i] & (0xFFU << (8 - (bits - first_bit))));
    }
  }
}

}  // namespace

Status truncate_address(std::string_view canonical, std::uint32_t ipv4_bits,
                        std::uint32_t ipv6_bits, std::string& out) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (canonical.size() >= text.size()) return Error(ErrorKind::malformed);
  canonical.copy(text.data(), canonical.size());
  std::array<std::uint8_t, 16> address{};
  const bool v6 = canonical.find(':') != std::string_view::npos;
  const int family = v6 ? AF_INET6 : AF_INET;
  if (::inet_pton(family, text.data(), address.data()) != 1) return Error(ErrorKind::malformed);
  if (v6) {
    keep_bits(address, ipv6_bits);
  } else {
    keep_bits(std::span(address).first(4), ipv4_bits);
  }
  if (::inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) {
    return Error(ErrorKind::malformed);
  }
  out.append(text.data());
  return {};
}

std::string_view truncate_text(std::string_view text, std::uint32_t characters) {
  std::size_t at = 0;
  for (std::uint32_t n = 0; at < text.size(); ++at) {
    const bool starts_character = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts_character && n++ == characters) break;
  }
  return text.substr(0, at);
}

Status transform_field(const FieldAction& action, std::string_view value, std::string& out) {
  switch (action.action) {
    case ActionKind::mask:
      out.append(kMask);
      return {};
    case ActionKind::replace:
      out.append(action.literal);
      return {};
    case ActionKind::generalise:
      append_browser_family(value, out);
      return {};
    case ActionKind::truncate: {
      if (action.kind != crypto::Kind::ip) {
        out.append(truncate_text(value, action.keep_length));
        return {};
      }
      std::string
          canonical;  // an address fits the small-string buffer or costs one allocation; rare
      if (auto status = crypto::normalise(crypto::Kind::ip, value, {}, canonical); !status) {
        return status;
      }
      return truncate_address(canonical, action.ipv4_bits, action.ipv6_bits, out);
    }
    default:
      return Error(ErrorKind::internal);
  }
}

}  // namespace paravent::proxy
