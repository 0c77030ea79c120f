// What happens to a JSON text after the scan: values read, values written, byte edits made.

#include <array>

#include "proxy/body/find_stop.h"
#include "proxy/body/json.h"
#include "proxy/body/json_string.h"
#include "proxy/body/removal.h"

namespace paravent::proxy::body {
namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

void append_escape(char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  const std::array<char, 6> unit = {'\\', 'u', '0', '0', kDigits[byte >> 4U], kDigits[byte & 15U]};
  out.append(unit.data(), unit.size());
}

// Takes one comma with a run of removed members or elements: the one behind, else the one before.
void take_comma(std::string_view text, Span& run) {
  std::uint32_t behind = run.end;
  while (behind < text.size() && is_space(text[behind])) ++behind;
  if (behind < text.size() && text[behind] == ',') {
    ++behind;
    while (behind < text.size() && is_space(text[behind])) ++behind;
    run.end = behind;  // up to the next one, so that a neighbour's removal touches this one
    return;
  }
  std::uint32_t before = run.begin;
  while (before > 0 && is_space(text[before - 1])) --before;
  if (before > 0 && text[before - 1] == ',') run.begin = before - 1;
}

}  // namespace

void decode_json_value(std::string_view raw, ValueKind kind, std::string& out) {
  if (kind != ValueKind::string) {
    out.append(raw);
  } else {
    append_unescaped(raw.substr(1, raw.size() - 2), out);
  }
}

void encode_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  const char* p = text.data();
  const char* const end = p + text.size();
  for (;;) {
    const char* const run = p;
    p = find_stop<HighBytes::pass, '"', '\\'>(p, end);
    out.append(run, p);
    if (p == end) break;
    append_escape(*p++, out);
  }
  out.push_back('"');
}

void json_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  const std::size_t first = out.size();
  // A scalar that the text starts with is the whole text: inside a container it would come later.
  const std::size_t top_level = text.find_first_not_of(" \n\r\t");
  for (const FieldEdit& edit : fields) {
    const Field& field = edit.field;
    if (!edit.remove) {
      out.push_back({field.value, edit.replacement, {}});
    } else if (field.whole.begin == top_level) {
      out.push_back({field.whole, {}, "null"});
    } else {
      take_comma(text, removal_run(out, first, field.whole));
    }
  }
}

}  // namespace paravent::proxy::body
