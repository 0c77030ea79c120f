#include "proxy/body/cookie.h"

#include "proxy/body/find_stop.h"
#include "proxy/body/removal.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

const char* skip_spaces(const char* p, const char* end) noexcept {
  while (p != end && *p == ' ') ++p;
  return p;
}

const char* trim_spaces(const char* begin, const char* end) noexcept {
  while (end != begin && end[-1] == ' ') --end;
  return end;
}

// One piece between separators, without the spaces around it. REQUIRES: not empty.
bool split_piece(const char* begin, const char* end, std::string_view& name, const char*& value) {
  const char* equals = begin;
  while (equals != end && *equals != '=') ++equals;
  if (equals == begin) return false;
  const char* const name_end = trim_spaces(begin, equals);
  name = std::string_view(begin, static_cast<std::size_t>(name_end - begin));
  value = equals == end ? end : skip_spaces(equals + 1, end);
  return is_valid_utf8(name);
}

// The first quote that no backslash stands in front of.
std::size_t find_quote(std::string_view text, std::size_t from) noexcept {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

// Whether a value opens a quote that it does not close, and a quote stands behind it: Python's
// readers may take semicolons between the two for a part of the value, browsers do not. Any quote,
// since which one closes depends on what stands around it, and that may be removed. `line`: from
// the value on.
bool may_be_quoted_across(std::string_view line, std::size_t value_size) noexcept {
  if (value_size == 0 || line.front() != '"') return false;
  if (find_quote(line.substr(0, value_size), 1) != std::string_view::npos) return false;
  return line.find('"', value_size) != std::string_view::npos;
}

}  // namespace

ScanStatus scan_cookies(std::string_view text, const CookieLimits& limits, FlatVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  const char* const base = text.data();
  const char* const end = base + text.size();
  std::size_t cookies = 0;
  for (const char* p = base; p != end;) {
    const char* const begin = skip_spaces(p, end);
    p = find_stop<HighBytes::pass, ';', '\x7f'>(begin, end);
    if (p != end && *p != ';') return ScanStatus::malformed;
    const char* const piece_end = trim_spaces(begin, p);
    if (p != end) ++p;
    if (begin == piece_end) continue;
    std::string_view name;
    const char* value = nullptr;
    if (!split_piece(begin, piece_end, name, value)) return ScanStatus::malformed;
    if (may_be_quoted_across({value, static_cast<std::size_t>(end - value)},
                             static_cast<std::size_t>(piece_end - value))) {
      return ScanStatus::malformed;
    }
    if (++cookies > limits.cookies) return ScanStatus::too_large;
    Field field;
    field.value = span_of(base, value, piece_end);
    field.whole = span_of(base, begin, piece_end);
    if (!visitor.on_field(name, field)) return ScanStatus::stopped;
  }
  return ScanStatus::ok;
}

// RFC 6265 4.1.1: cookie-octet is %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E.
bool cookie_value_is_safe(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' || c == '\\') return false;
  }
  return true;
}

void cookie_edits(std::string_view text, std::span<const FieldEdit> fields,
                  std::vector<Edit>& out) {
  const std::size_t first = out.size();
  for (const FieldEdit& edit : fields) {
    const Field& field = edit.field;
    if (!edit.remove) {
      // Only a piece without '=' is its own name to the last byte.
      const bool bare = field.whole.in(text).find('=') == std::string_view::npos;
      out.push_back({field.value, edit.replacement, bare ? "=" : std::string_view()});
      continue;
    }
    Span& run = removal_run(out, first, field.whole);
    std::uint32_t behind = run.end;
    while (behind < text.size() && text[behind] == ' ') ++behind;
    if (behind < text.size()) {
      ++behind;  // the ';'
      while (behind < text.size() && text[behind] == ' ') ++behind;
      run.end = behind;
      continue;
    }
    std::uint32_t before = run.begin;
    while (before > 0 && text[before - 1] == ' ') --before;
    if (before > 0) run = {before - 1, behind};
  }
}

}  // namespace paravent::proxy::body
