#include "policies/plan/php_name.h"

namespace paravent::policies {
namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

char fold(char c) noexcept { return c == ' ' || c == '.' || c == '[' ? '_' : c; }

}  // namespace

std::string_view php_name(std::string_view name, char* buffer) noexcept {
  if (name.find_first_of(" .[") == std::string_view::npos) return name;
  while (name.starts_with(' ')) name.remove_prefix(1);
  char* to = buffer;
  std::size_t at = 0;
  while (at < name.size() && name[at] != '[') *to++ = fold(name[at++]);
  if (at == 0) return {};  // a variable without a name is dropped
  const std::size_t first = at;
  while (at < name.size() && name[at] == '[') {
    const std::size_t close = name.find(']', at + 1);
    if (close == std::string_view::npos) {
      if (at != first) break;
      while (at < name.size()) *to++ = fold(name[at++]);
      break;
    }
    std::string_view index = name.substr(at + 1, close - at - 1);
    if (index.size() == 1 && is_space(index.front())) index = {};
    *to++ = '[';
    for (const char c : index) *to++ = c;
    *to++ = ']';
    at = close + 1;
  }
  return {buffer, static_cast<std::size_t>(to - buffer)};
}

}  // namespace paravent::policies
