// Text inside an HTML page, between tags or in a double-quoted attribute. Pure; any thread.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy::body {

void append_html_text(std::string_view text, std::string& out);

}  // namespace paravent::proxy::body
