// What the normalisers need of Unicode beyond UTF-8, by ICU; no other file of the room includes it.
//
// Pure functions; any thread. Input is valid UTF-8 and not plain ASCII (that is the callers' fast
// path).

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

// Appends the NFC form. ErrorKind::internal: ICU's data is missing.
Status append_nfc(std::string_view utf8, std::string& out);

// Appends the A-label form (UTS 46, non-transitional, STD3 rules, lengths checked): lower-case
// ASCII. ErrorKind::malformed when the name is not one.
Status append_ascii_domain(std::string_view utf8, std::string& out);

// Zero-width, soft-hyphen and bidirectional controls: characters that change no name but its bytes.
bool is_invisible(char32_t point) noexcept;

// White_Space=yes.
bool is_white_space(char32_t point) noexcept;

// General category Cc; white space among them is asked for first.
bool is_control(char32_t point) noexcept;

}  // namespace paravent::crypto
