#include "proxy/body/html_text.h"

namespace paravent::proxy::body {

void append_html_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '&':
        out.append("&amp;");
        break;
      case '"':
        out.append("&quot;");
        break;
      default:
        out.push_back(c);
    }
  }
}

}  // namespace paravent::proxy::body
