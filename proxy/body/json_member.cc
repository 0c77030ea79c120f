// find_string_member(), has_string_member(): a look ahead into an object that the scanner has not
// read yet.

#include "crypto/base/secret_bytes.h"
#include "policies/plan/key_case.h"
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

bool is_key(std::string_view raw, bool escaped, std::string_view key, bool any_case) {
  const auto same = [&](std::string_view text) {
    return any_case ? policies::same_in_any_case(text, key) : text == key;
  };
  if (!escaped) return same(raw);
  std::string decoded;
  append_unescaped(raw, decoded);
  return same(decoded);
}

// Calls found(raw) for each member of that name that is a string, until it answers true; without
// `any_case` there is one of the name at most.
template <typename Found>
void for_each_member(std::string_view object, std::string_view key, bool any_case, Found found) {
  const char* const end = object.data() + object.size();
  const char* p = object.data();
  if (p == end || *p != '{') return;
  ++p;
  for (;;) {
    p = skip_space(p, end);
    if (p == end || *p != '"') return;
    const StringEnd name = json_string_end(p + 1, end);
    if (name.quote == nullptr) return;
    const std::string_view raw(p + 1, static_cast<std::size_t>(name.quote - p - 1));
    const bool wanted = is_key(raw, name.escaped, key, any_case);
    p = skip_space(name.quote + 1, end);
    if (p == end || *p != ':') return;
    p = skip_space(p + 1, end);
    if (wanted && p != end && *p == '"') {
      const StringEnd value = json_string_end(p + 1, end);
      if (value.quote == nullptr) return;
      if (found(std::string_view(p, static_cast<std::size_t>(value.quote + 1 - p)))) return;
    }
    if (wanted && !any_case) return;
    p = skip_value(p, end);
    if (p == end || *p != ',') return;
    ++p;
  }
}

}  // namespace

std::optional<std::string_view> find_string_member(std::string_view object, std::string_view key) {
  std::optional<std::string_view> value;
  for_each_member(object, key, false, [&](std::string_view raw) {
    value = raw;
    return true;
  });
  return value;
}

bool has_string_member(std::string_view object, std::string_view key, std::string_view value,
                       std::string& scratch) {
  bool has = false;
  for_each_member(object, key, true, [&](std::string_view raw) {
    crypto::wipe(
        crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(scratch.data()), scratch.size()));
    scratch.clear();
    decode_json_value(raw, ValueKind::string, scratch);
    has = scratch == value;
    return has;
  });
  return has;
}

}  // namespace paravent::proxy::body
