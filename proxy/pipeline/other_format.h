// What a text that calls itself a form is by its first byte.

#pragma once

#include <string_view>

namespace paravent::proxy {

// The first byte that tells what a text is: behind a byte order mark and blanks, which readers
// skip.
inline char first_byte(std::string_view text) noexcept {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? '\0' : text[first];
}

// What no form begins with, since whoever writes one escapes these, and JSON and XML do. To the
// form's codec such a text would be one long name, which no rule is about, and an application that
// reads the body as what it is would find every value in it. None of its pairs does either: those
// in front of one may be removed.
inline bool is_another_format(std::string_view text) noexcept {
  // Nearly every name begins with a letter.
  if (!text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'))) {
    return false;
  }
  const char first = first_byte(text);
  return first == '{' || first == '[' || first == '"' || first == '<';
}

}  // namespace paravent::proxy
