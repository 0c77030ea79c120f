// Text as people see it: without the characters that change nothing but its bytes, in NFC. What
// names, postal addresses, user agents, e-mail addresses and URLs have in common.
//
// Everything is written behind the end of `out`, which also serves as scratch memory: nothing else
// is allocated but what ICU takes for itself. The input must not be part of `out`.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

enum class LineBreaks : std::uint8_t {
  spaces,  // as any white space
  commas,  // ", ", or a space behind a comma: the lines of a postal address
};

// Appends the words of `value`: no invisible characters, runs of white space one U+0020, none at
// the ends, NFC. ErrorKind::malformed: no UTF-8, or a control character.
Status append_words(std::string_view value, LineBreaks breaks, std::string& out);

enum class Joiners : std::uint8_t {
  removed,
  kept,  // U+200C and U+200D tell words of several scripts apart, in domain names for one
};

// Appends `value` without invisible characters; nothing else changes and NFC is the caller's.
// ErrorKind::malformed: no UTF-8, or a control character.
Status append_visible(std::string_view value, Joiners joiners, std::string& out);

// Without white space and invisible characters at either end.
std::string_view trim_unicode(std::string_view text) noexcept;

// Takes [begin, end) out of `text` and leaves no copy of it behind the new end.
void cut_out(std::string& text, std::size_t begin, std::size_t end) noexcept;

}  // namespace paravent::crypto
