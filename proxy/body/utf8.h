// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
//
// Pure functions on borrowed bytes.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body {

// Past the sequence that starts at `p`, or nullptr where it is not well-formed. REQUIRES: p < end.
const char* utf8_step(const char* p, const char* end) noexcept;

bool is_valid_utf8(std::string_view text) noexcept;

// REQUIRES: a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace paravent::proxy::body
