// The inside of JSON strings (RFC 8259 section 7): validating and unescaping. Shared by the scanner
// and by decode_json_value.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy::body {

// The closing quote of the string whose first byte behind the opening quote is at `p`; nullptr where
// an escape, a control, the UTF-8 or the end of the text is wrong. Sets `escaped` when there is a
// backslash.
const char* json_string_end(const char* p, const char* end, bool& escaped) noexcept;

// Appends the text between the quotes, unescaped. REQUIRES: json_string_end accepted it.
void append_unescaped(std::string_view inside, std::string& out);

}  // namespace paravent::proxy::body
