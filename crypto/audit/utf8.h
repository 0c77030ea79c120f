// UTF-8 as RFC 3629 allows it: no overlong form, no surrogate, nothing above U+10FFFF. Pure functions.

#pragma once

#include <string_view>

namespace paravent::crypto::audit {

bool valid_utf8(std::string_view text) noexcept;

// Whether valid UTF-8 holds a space of Unicode beyond ASCII (property White_Space).
bool has_unicode_space(std::string_view text) noexcept;

}  // namespace paravent::crypto::audit
