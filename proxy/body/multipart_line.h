// Where a boundary starts a line: the one question that reading multipart comes down to. Internal
// to the two codecs of multipart.

#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace paravent::proxy::body {

// The next place at or behind `from` where `dash_boundary` starts a line, whatever ends the line
// before (some readers take a bare LF); npos when there is none. `text` starts a line itself.
inline std::size_t find_at_line_start(std::string_view text, std::size_t from,
                                      std::string_view dash_boundary) noexcept {
  while (from <= text.size()) {
    // memmem skips ahead; std::string_view::find would compare at every dash of a text of dashes.
    const void* const hit = ::memmem(text.data() + from, text.size() - from, dash_boundary.data(),
                                     dash_boundary.size());
    if (hit == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    if (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r') return at;
    from = at + dash_boundary.size();  // no line starts inside a boundary
  }
  return std::string_view::npos;
}

}  // namespace paravent::proxy::body
