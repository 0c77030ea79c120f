// What the normalisers need of Unicode beyond UTF-8, by ICU; no other file of the room includes it.
//
// Pure functions; any thread. Input is valid UTF-8 and not plain ASCII (that is the callers' fast
// path).

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

// Gives what stands in `text` from `from` on its NFC form; the room behind it is scratch memory and
// is wiped. ErrorKind::internal: ICU's data is missing.
Status compose_tail(std::string& text, std::size_t from);

// Appends the A-label form (UTS 46, non-transitional, STD3 rules, lengths checked): lower-case
// ASCII, at most 255 characters. ErrorKind::malformed when the name is not one. `utf8` may be part
// of `out`.
Status append_ascii_domain(std::string_view utf8, std::string& out);

// Zero-width, soft-hyphen and bidirectional controls: characters that change no name but its bytes.
bool is_invisible(char32_t point) noexcept;

// White_Space=yes.
bool is_white_space(char32_t point) noexcept;

// The dashes and the minus that a word processor or a phone makes of "-"; not the "-" itself.
bool is_dash(char32_t point) noexcept;

// General category Cc; white space among them is asked for first.
bool is_control(char32_t point) noexcept;

}  // namespace paravent::crypto
