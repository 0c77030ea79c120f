// UTF-8, strictly (RFC 3629, Unicode table 3-7): no overlong form, no surrogate, nothing above
// U+10FFFF. Pure functions.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::crypto {

bool is_ascii(std::string_view text) noexcept;
bool is_utf8(std::string_view text) noexcept;

// The code point that begins at `at`, which is moved behind it; kInvalidCodePoint leaves `at`
// alone.
inline constexpr char32_t kInvalidCodePoint = 0xFFFFFFFFU;
char32_t next_code_point(std::string_view text, std::size_t& at) noexcept;

}  // namespace paravent::crypto
