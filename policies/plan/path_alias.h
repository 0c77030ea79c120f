// What an application may take for the same path: the gateway matches routes on one normal form,
// but servers are laxer, and a protected path must not be reached past its rules by another
// spelling. Internal to policies/plan. Pure.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::policies {

// Writes `path`, which is in normal form, as the laxest servers read it: without case, without
// path parameters (";x", servlet containers), without the dots and blanks at the end of a segment
// that Windows ignores, without empty segments or a last '/', and without escapes of printable
// characters that could stand there bare. `out` has room for path.size() bytes, and for one;
// answers how many were written. Allocates nothing.
std::size_t fold_path(std::string_view path, char* out) noexcept;

// True when the last segment names a script ("/contact.php"), to which a server hands what follows
// it in a path as well (PATH_INFO).
bool names_a_script(std::string_view path) noexcept;

}  // namespace paravent::policies
