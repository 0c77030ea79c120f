#include "proxy/pipeline/user_agent.h"

#include <algorithm>
#include <array>

namespace paravent::proxy {
namespace {

struct Family {
  std::string_view product;  // as it stands in the header, with its slash
  std::string_view written;
};

// First match wins: browsers built on another one name that one too, so the derived come first.
constexpr std::array<Family, 12> kFamilies = {{
    {"Edg/", "Edg/"},
    {"EdgA/", "Edg/"},
    {"EdgiOS/", "Edg/"},
    {"OPR/", "OPR/"},
    {"SamsungBrowser/", "SamsungBrowser/"},
    {"Vivaldi/", "Vivaldi/"},
    {"FxiOS/", "Firefox/"},
    {"Firefox/", "Firefox/"},
    {"CriOS/", "Chrome/"},
    {"HeadlessChrome/", "Chrome/"},
    {"Chrome/", "Chrome/"},
    {"Safari/", "Safari/"},
}};

std::string_view leading_digits(std::string_view text) {
  const auto end =
      std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
  // Four digits hold every major version there is; more would be somebody's serial number.
  return text.substr(0, std::min<std::size_t>(4, static_cast<std::size_t>(end - text.begin())));
}

}  // namespace

void append_browser_family(std::string_view user_agent, std::string& out) {
  out.append("Mozilla/5.0");
  for (const Family& family : kFamilies) {
    const std::size_t at = user_agent.find(family.product);
    if (at == std::string_view::npos) continue;
    std::string_view version = user_agent.substr(at + family.product.size());
    if (family.product == "Safari/") {
      // Safari's own version stands under "Version/"; the number after "Safari/" is WebKit's. In
      // our own output there is no "Version/", and the number is already the right one.
      const std::size_t own = user_agent.find("Version/");
      if (own != std::string_view::npos) version = user_agent.substr(own + 8);
    }
    const std::string_view major = leading_digits(version);
    if (major.empty()) return;
    out.push_back(' ');
    out.append(family.written);
    out.append(major);
    out.append(".0");
    return;
  }
}

}  // namespace paravent::proxy
