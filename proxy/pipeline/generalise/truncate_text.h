// Text cut to its beginning. A view of the input; no heap; any thread.

#pragma once

#include <cstdint>
#include <string_view>

namespace paravent::proxy {

// At most `characters` code points; never cuts one in two.
std::string_view truncate_text(std::string_view text, std::uint32_t characters) noexcept;

}  // namespace paravent::proxy
