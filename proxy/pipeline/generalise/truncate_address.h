// An address cut to its network (constructions 4.8): irreversible, though not anonymous.
//
// An IPv6 address that carries an IPv4 address is that IPv4 address in other clothes, and a cut by
// IPv6 bits would let it through whole. So the one inside is cut like any IPv4 address and stays
// where it was; all behind it is zeroed. Known carriers:
//   ::ffff:0:0/96 mapped (RFC 4291), written as IPv4 · 2002::/16 6to4 (RFC 3056) · 2001::/32 Teredo
//   (RFC 4380): the client; its server, flags and port are zeroed · 64:ff9b::/96 NAT64 (RFC 6052)
// Where the place of the IPv4 address depends on somebody's set-up, or the form is obsolete, all of
// it is zeroed: 64:ff9b:1::/48 (RFC 8215), ISATAP (RFC 5214), ::/96 and ::ffff:0:0:0/96.
// Provider prefixes that carry one (6rd, NAT64 of their own) cannot be told from others.
//
// Pure, no heap once `out` has room; any thread. Idempotent.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy {

// Appends the canonical spelling of the network of `text`: `ipv4_bits` (0 to 32) of IPv4,
// `ipv6_bits` (0 to 128) of IPv6. White space around the address is ignored. `malformed`, and `out`
// as it was: not an address, or one with zone, port, brackets or prefix length.
crypto::Status truncate_address(std::string_view text, std::uint32_t ipv4_bits,
                                std::uint32_t ipv6_bits, std::string& out);

}  // namespace paravent::proxy
