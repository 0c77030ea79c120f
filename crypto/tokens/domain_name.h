// Domain names as e-mail addresses and URLs carry them: lower-case labels [a-z0-9_-], 1 to 63
// characters, no "-" at an end, at most 253 in all (RFC 1035 2.3.4, RFC 2181 11); others in their
// A-label form (UTS 46). "xn--" labels that come in are taken as they are.
//
// Pure function; any thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

// Appends the normal form; ErrorKind::malformed when there is none, and then perhaps a part of it.
// `domain` is valid UTF-8; it may be part of `out` if `out` has room for 255 more characters.
Status append_domain_name(std::string_view domain, std::string& out);

}  // namespace paravent::crypto
