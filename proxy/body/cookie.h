// The Cookie header (RFC 6265 4.2.1): `name=value` pairs separated by "; ".
//
// Lenient where browsers are: optional spaces around separators, values with '=' inside, quoted
// values (quotes belong to the value's bytes and are kept). Refused as malformed: control bytes, an
// empty name in front of '=', a name that is not UTF-8, a value that opens a quote and does not
// close it where another quote stands behind it (cookie.cc says why). Empty pieces (`a=1;; b=2`)
// are kept and are no fields. A piece without '=' is a field with that text as name and an empty
// value.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct CookieLimits {
  std::size_t cookies = 512;
};

ScanStatus scan_cookies(std::string_view text, const CookieLimits& limits, FlatVisitor& visitor);

// True when `text` may stand as a cookie value as it is (RFC 6265 cookie-octets). What is not safe
// is not encoded, because no encoding is standard for cookies: the caller fails that field.
bool cookie_value_is_safe(std::string_view text);

// Appends byte edits for field edits (in scan order); a removed cookie takes one separator
// with it. REQUIRES: replacements are safe.
void cookie_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
