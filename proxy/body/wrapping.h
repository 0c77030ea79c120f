// What text is wrapped in inside a field: base64 and base64url (RFC 4648 4 and 5), one layer of
// percent-encoding (RFC 3986 2.1), and gzip (RFC 1952).
//
// Strict where readers differ: no white space, no foreign character, spare bits zero, padding whole
// or absent and remembered, so that wrapping again spells it as it came. Pure functions; they
// append to the caller's buffer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

enum class Base64Alphabet : std::uint8_t { standard, url };

// False: not that encoding; `out` then holds nothing of it. `padded`: '=' came at the end; where
// the length needs none, the alphabet's custom is assumed, padding in base64 and none in base64url.
[[nodiscard]] bool unwrap_base64(std::string_view text, Base64Alphabet alphabet, bool& padded,
                                 std::string& out);
void wrap_base64(std::string_view bytes, Base64Alphabet alphabet, bool padded, std::string& out);

// False: a '%' that begins no escape, or a NUL, escaped or not. '+' is itself.
[[nodiscard]] bool unwrap_percent(std::string_view text, std::string& out);
// Everything but unreserved characters is escaped.
void wrap_percent(std::string_view text, std::string& out);

// What a gzip-packed field may unpack to: as a body, at most 50 times its size beyond 64 KiB.
inline constexpr std::size_t kMaxUnpacked = std::size_t{8} << 20U;

// One member and nothing behind it. malformed: not gzip; too_large: more than may come of it; `out`
// then holds nothing of it. Replaces `out`.
[[nodiscard]] ScanStatus unwrap_gzip(std::string_view packed, std::string& out);
// Packed anew: without name and time, so that equal bytes pack equally.
void wrap_gzip(std::string_view bytes, std::string& out);

}  // namespace paravent::proxy::body
