// Percent-encoding in the normal form of RFC 3986 6.2.2: unreserved characters are never escaped,
// what a part of a URL may not hold always is, hexadecimal digits are upper case. Other escapes are
// left, since a reserved character and its escape mean different things.
//
// Pure function; any thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::crypto {

enum class UrlPart : std::uint8_t {
  user,   // user and password
  path,   // one segment
  query,  // or fragment
};

inline constexpr std::size_t kMaxEscapeGrowth = 3;

// Appends the normal form of a part; a "%" that begins no escape becomes one of itself. False on a
// control character and, outside the query, on a backslash, which browsers take for a slash: what
// was appended until then stays. `text` may be part of `out` if `out` has room for the result.
[[nodiscard]] bool append_escaped(std::string_view text, UrlPart part, std::string& out);

}  // namespace paravent::crypto
