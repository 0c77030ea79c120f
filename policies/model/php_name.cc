#include "policies/model/php_name.h"

#include <algorithm>

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

std::string php_name(std::string_view name) {
  std::string buffer(name.size(), '\0');
  return std::string(php_name(name, buffer.data()));
}

std::string php_pattern(std::string_view pattern) {
  pattern.remove_prefix(std::min(pattern.find_first_not_of(' '), pattern.size()));
  std::string out(pattern);
  std::transform(out.begin(), std::find(out.begin(), out.end(), '['), out.begin(), fold);
  return out;
}

}  // namespace paravent::policies
