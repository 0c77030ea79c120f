#include "proxy/body/mixed.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "proxy/body/find_stop.h"
#include "proxy/body/header_value.h"
#include "proxy/body/media_type.h"
#include "proxy/body/shifted_field.h"

namespace paravent::proxy::body {
namespace {

constexpr std::string_view kCrlf = "\r\n";

struct Head {
  std::optional<std::string_view> type;
  std::size_t size = 0;  // with the empty line
};

bool is_known_header(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 4> kNames = {
      "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "X-Experience-API-Hash"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return equals_ignoring_case(known, name); });
}

bool is_plain_encoding(std::string_view value) noexcept {
  return equals_ignoring_case(value, "binary") || equals_ignoring_case(value, "8bit") ||
         equals_ignoring_case(value, "7bit");
}

std::string_view trimmed(std::string_view value) noexcept {
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

ScanStatus read_head(std::string_view text, Head& head) {
  std::array<std::string_view, 4> seen;
  std::size_t count = 0;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return ScanStatus::malformed;
    if (end > kMaxMixedHead) return ScanStatus::too_large;
    if (!text.substr(end).starts_with(kCrlf)) return ScanStatus::malformed;
    const std::string_view line = text.substr(at, end - at);
    at = end + kCrlf.size();
    if (line.empty()) {
      head.size = at;
      return ScanStatus::ok;
    }
    const std::string_view name = leading_token(line);
    if (name.empty() || name.size() == line.size() || line[name.size()] != ':' ||
        !is_known_header(name)) {
      return ScanStatus::malformed;
    }
    const auto* const known = seen.begin() + count;
    const bool twice =
        std::any_of(static_cast<const std::string_view*>(seen.begin()), known,
                    [name](std::string_view one) { return equals_ignoring_case(one, name); });
    if (twice) return ScanStatus::malformed;
    seen[count++] = name;
    const std::string_view value = trimmed(line.substr(name.size() + 1));
    if (equals_ignoring_case(name, "Content-Type")) head.type = value;
    if (equals_ignoring_case(name, "Content-Transfer-Encoding") && !is_plain_encoding(value)) {
      return ScanStatus::unsupported;
    }
  }
}

// Hands on the JSON part's fields at their place in the body.
class PartVisitor final : public JsonVisitor {
 public:
  PartVisitor(JsonVisitor& visitor, std::uint32_t offset) : visitor_(visitor), offset_(offset) {}

  bool on_value(JsonPath path, const Field& field) override {
    return visitor_.on_value(path, shifted(field, offset_));
  }
  bool on_container(JsonPath path, bool is_array) override {
    return visitor_.on_container(path, is_array);
  }
  bool wants_ends() const override { return visitor_.wants_ends(); }
  bool on_container_end(JsonPath path, const Field& field) override {
    return visitor_.on_container_end(path, shifted(field, offset_));
  }
  bool wants_filters() const override { return visitor_.wants_filters(); }
  FilterBits filters_of(std::string_view object) override { return visitor_.filters_of(object); }

 private:
  JsonVisitor& visitor_;
  std::uint32_t offset_;
};

bool on_attachment(std::uint32_t number, const Line& part, JsonVisitor& visitor) {
  Field field;
  field.value = part.text;
  field.whole = part.item;
  field.is_file = true;
  const std::array<PathStep, 2> path = {PathStep{{}, number, true, 0},
                                        PathStep{"attachment", 0, false, 0}};
  return visitor.on_value(path, field);
}

// The next delimiter at the start of a line, at or behind `from`; a lone CR or LF starts one too
// for some readers, and then what follows is no delimiter of ours.
std::size_t find_delimiter(std::string_view text, std::size_t from,
                           std::string_view delimiter) noexcept {
  for (std::size_t at = text.find(delimiter, from); at != std::string_view::npos;
       at = text.find(delimiter, at + 1)) {
    if (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r') return at;
  }
  return std::string_view::npos;
}

bool is_utf8_json(const Head& head) {
  const auto type = head.type ? parse_content_type(*head.type) : std::nullopt;
  return type && type->type == MediaType::json && type->utf8;
}

}  // namespace

ScanStatus scan_mixed(std::string_view text, std::string_view boundary, const JsonLimits& limits,
                      JsonScanner& scanner, JsonVisitor& visitor, std::vector<Line>& parts) {
  parts.clear();
  if (!fits_offsets(text)) return ScanStatus::too_large;
  const std::string delimiter = "--" + std::string(boundary);
  if (!text.starts_with(delimiter)) return ScanStatus::malformed;
  for (std::size_t at = delimiter.size();;) {
    if (text.substr(at).starts_with("--")) {
      const std::string_view rest = text.substr(at + 2);
      const bool ends = rest.empty() || rest == kCrlf;
      return ends && !parts.empty() ? ScanStatus::ok : ScanStatus::malformed;
    }
    if (!text.substr(at).starts_with(kCrlf)) return ScanStatus::malformed;
    if (parts.size() == kMaxMixedParts) return ScanStatus::too_large;
    at += kCrlf.size();
    Head head;
    const ScanStatus status = read_head(text.substr(at), head);
    if (status != ScanStatus::ok) return status;
    const std::size_t content = at + head.size;
    // An empty content has a line end of its own in front of the delimiter (RFC 2046 5.1.1).
    const std::size_t next = find_delimiter(text, content, delimiter);
    if (next == std::string_view::npos || next < content + kCrlf.size() ||
        text.substr(next - kCrlf.size(), kCrlf.size()) != kCrlf) {
      return ScanStatus::malformed;
    }
    Line part;
    part.opaque = !parts.empty();
    part.text = {static_cast<std::uint32_t>(content),
                 static_cast<std::uint32_t>(next - kCrlf.size())};
    part.item = {parts.empty() ? 0 : parts.back().text.end, part.text.end};
    if (parts.empty()) {
      if (!is_utf8_json(head)) return ScanStatus::unsupported;
      PartVisitor inside(visitor, part.text.begin);
      const ScanStatus scanned = scanner.scan(part.text.in(text), limits, inside);
      if (scanned != ScanStatus::ok) return scanned;
    } else if (!on_attachment(static_cast<std::uint32_t>(parts.size()), part, visitor)) {
      return ScanStatus::stopped;
    }
    parts.push_back(part);
    at = next + delimiter.size();
  }
}

void mixed_edits(std::string_view text, std::span<const Line> parts,
                 std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  const auto* const attachments =
      std::find_if(fields.data(), fields.data() + fields.size(),
                   [](const FieldEdit& edit) { return edit.field.is_file; });
  const auto count = static_cast<std::size_t>(attachments - fields.data());
  std::string none;  // no part has a length that would have to be written anew
  json_line_edits(text, parts.first(1), fields.first(count), none, out);
  for (const FieldEdit& edit : fields.subspan(count)) {
    if (edit.remove) out.push_back({edit.field.whole, {}, {}});
  }
}

}  // namespace paravent::proxy::body
