// find_string_member(): a look ahead into an object that the scanner has not read yet.

#include "proxy/body/find_stop.h"
#include "proxy/body/json.h"
#include "proxy/body/json_string.h"

namespace paravent::proxy::body {
namespace {

const char* skip_space(const char* p, const char* end) noexcept {
  while (p != end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  return p;
}

// Behind the value at `p`, whatever it holds; `end` where it does not close.
const char* skip_value(const char* p, const char* end) noexcept {
  std::size_t depth = 0;
  while (p != end) {
    switch (*p) {
      case '"': {
        const StringEnd string = json_string_end(p + 1, end);
        if (string.quote == nullptr) return end;
        p = string.quote;
        break;
      }
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth == 0) return p;
        --depth;
        break;
      case ',':
        if (depth == 0) return p;
        break;
      default:
        break;
    }
    ++p;
  }
  return end;
}

bool is_key(std::string_view raw, bool escaped, std::string_view key) {
  if (!escaped) return raw == key;
  std::string decoded;
  append_unescaped(raw, decoded);
  return decoded == key;
}

}  // namespace

std::optional<std::string_view> find_string_member(std::string_view object, std::string_view key) {
  const char* const end = object.data() + object.size();
  const char* p = object.data();
  if (p == end || *p != '{') return std::nullopt;
  ++p;
  for (;;) {
    p = skip_space(p, end);
    if (p == end || *p != '"') return std::nullopt;
    const StringEnd name = json_string_end(p + 1, end);
    if (name.quote == nullptr) return std::nullopt;
    const std::string_view raw(p + 1, static_cast<std::size_t>(name.quote - p - 1));
    const bool found = is_key(raw, name.escaped, key);
    p = skip_space(name.quote + 1, end);
    if (p == end || *p != ':') return std::nullopt;
    p = skip_space(p + 1, end);
    if (found) {
      if (p == end || *p != '"') return std::nullopt;
      const StringEnd value = json_string_end(p + 1, end);
      if (value.quote == nullptr) return std::nullopt;
      return std::string_view(p, static_cast<std::size_t>(value.quote + 1 - p));
    }
    p = skip_value(p, end);
    if (p == end || *p != ',') return std::nullopt;
    ++p;
  }
}

}  // namespace paravent::proxy::body
