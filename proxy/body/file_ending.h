// The ending of a file name: what applications tell a file's type by, and what stays when the name
// itself is replaced.

#pragma once

#include <string_view>

namespace paravent::proxy::body {

// Behind the last dot, without it; empty where there is none.
inline std::string_view file_ending(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : file_name.substr(dot + 1);
}

// The ending in lower case if it is one that says a file's type and nothing about a person ("pdf",
// not "dupont"); else empty. A literal.
std::string_view known_ending(std::string_view file_name) noexcept;

// Whether every reader takes a text in quotes for the same file name: no control byte, quote,
// backslash, and no separator of folders.
bool file_name_is_safe(std::string_view file_name) noexcept;

}  // namespace paravent::proxy::body
