// An address as header lines spell it, without what they put around it.
//
// Proxies write "203.0.113.9:4711", "[2001:db8::1]", "[2001:db8::1]:4711" and "fe80::1%eth0" where
// the address alone is meant (RFC 7239 6 calls the bracketed form a node). A view of the input;
// pure; any thread.

#pragma once

#include <string_view>

namespace paravent::proxy {

// Without white space at the ends, brackets, port and zone. Does not check the address; of any
// other text the result is no address either.
std::string_view bare_address(std::string_view text) noexcept;

}  // namespace paravent::proxy
