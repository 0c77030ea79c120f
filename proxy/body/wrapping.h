// What text is wrapped in inside a field: base64 and base64url (RFC 4648 4 and 5), and one layer of
// percent-encoding (RFC 3986 2.1).
//
// Strict where readers differ: no white space, no foreign character, spare bits zero, padding whole
// or absent and remembered, so that wrapping again spells it as it came. Pure functions; they
// append to the caller's buffer.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body {

enum class Base64Alphabet : std::uint8_t { standard, url };

// False: not that encoding; `out` then holds nothing of it. `padded`: '=' came at the end; where
// the length needs none, the alphabet's custom is assumed, padding in base64 and none in base64url.
[[nodiscard]] bool unwrap_base64(std::string_view text, Base64Alphabet alphabet, bool& padded,
                                 std::string& out);
void wrap_base64(std::string_view bytes, Base64Alphabet alphabet, bool padded, std::string& out);

// False: a '%' that begins no escape, or %00. '+' is itself.
[[nodiscard]] bool unwrap_percent(std::string_view text, std::string& out);
// Everything but unreserved characters is escaped.
void wrap_percent(std::string_view text, std::string& out);

}  // namespace paravent::proxy::body
