// The request line's target and the Host header: one accepted spelling each. Pure functions.
//
// A path has one normal form (RFC 3986 6.2.2): no empty, "." or ".." segment, no escape of '/',
// '\\', NUL or of a character that needs none. Anything else is refused, because the policy matches
// routes on the path and an application that reads it differently would be reached past its rules.

#pragma once

#include <span>
#include <string_view>

namespace paravent::proxy::http1 {

// RFC 9110 7.2: a name, an IPv4 address or a bracketed IPv6 address, optionally a port. No user
// information, no empty label, no trailing dot, at most 255 bytes.
bool valid_host(std::string_view host) noexcept;

// Characters of RFC 3986 and well-formed escapes only, none of them of NUL.
bool valid_query(std::string_view query) noexcept;

// True when `path` is in normal form. The digits of its escapes are put into upper case in place,
// which names the same resource (RFC 3986 6.2.2.1) and leaves the policy one spelling to match.
bool normal_path(std::span<char> path) noexcept;

}  // namespace paravent::proxy::http1
