// The transformations that need no key: mask, truncate, generalise, replace.
//
// Pure functions on decoded values; the result is appended. `malformed` when the value is outside
// what the action is defined for (on-error decides then).

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policies/plan/field_action.h"

namespace paravent::proxy {

// Of fixed width whatever the value, so that its length is not told either.
inline constexpr std::string_view kMask = "********";

crypto::Status transform_field(const policies::FieldAction& action, std::string_view value,
                               std::string& out);

// Cuts an address to its network: `ipv4_bits` of IPv4 (mapped IPv6 counts as IPv4), `ipv6_bits` of
// IPv6, the rest zero. Accepts the canonical form that normalise() gives for Kind::ip.
crypto::Status truncate_address(std::string_view canonical, std::uint32_t ipv4_bits,
                                std::uint32_t ipv6_bits, std::string& out);

// At most `characters` code points; never cuts one in two.
std::string_view truncate_text(std::string_view text, std::uint32_t characters);

}  // namespace paravent::proxy
