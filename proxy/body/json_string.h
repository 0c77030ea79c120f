// The inside of JSON strings (RFC 8259 section 7): validating and unescaping. Shared by the scanner
// and by decode_json_value.

#pragma once

#include <string>
#include <string_view>

#include "proxy/body/find_stop.h"

namespace paravent::proxy::body {

struct StringEnd {
  const char* quote;  // the closing one; nullptr where the string is malformed or the text ends
  bool escaped;       // there is a backslash
};

// Goes on where a plain run of ASCII ended at `p`; see json_string_end.
StringEnd json_string_end_slowly(const char* p, const char* end) noexcept;

// Validates the string whose first byte behind the opening quote is at `p`: escapes, surrogate
// pairs, no controls, UTF-8. Most strings are short and plain, so that case is worth being inlined.
inline StringEnd json_string_end(const char* p, const char* end) noexcept {
  p = find_stop<HighBytes::stop, '"', '\\'>(p, end);
  if (p != end && *p == '"') [[likely]] {
    return {p, false};
  }
  return json_string_end_slowly(p, end);
}

// Appends the text between the quotes, unescaped. REQUIRES: json_string_end accepted it.
void append_unescaped(std::string_view inside, std::string& out);

}  // namespace paravent::proxy::body
