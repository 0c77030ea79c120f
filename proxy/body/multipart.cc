#include "proxy/body/multipart.h"

#include <algorithm>

#include "proxy/body/find_stop.h"
#include "proxy/body/header_value.h"
#include "proxy/body/multipart_line.h"
#include "proxy/body/part_head.h"

namespace paravent::proxy::body {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kDashes = "--";

// True when `text` starts with "--" and then the boundary.
bool starts_with_delimiter(std::string_view text, std::string_view boundary) noexcept {
  return text.starts_with(kDashes) && text.substr(kDashes.size()).starts_with(boundary);
}

struct Part {
  PartHead head;
  std::size_t begin = 0;    // its delimiter
  std::size_t content = 0;  // behind its head
  std::size_t end = 0;      // behind its content
};

// Reads the part whose delimiter line ends at `part.content`.
ScanStatus read_part(std::string_view text, std::string_view dash_boundary,
                     const MultipartLimits& limits, Part& part) {
  const ScanStatus status = read_part_head(text.substr(part.content), limits, part.head);
  if (status != ScanStatus::ok) return status;
  part.content += part.head.size;
  const std::size_t next = find_at_line_start(text, part.content, dash_boundary);
  if (next == std::string_view::npos) return ScanStatus::malformed;
  // The CRLF in front of a delimiter belongs to it (RFC 2046 5.1.1), so an empty content has one
  // too.
  if (next < part.content + kCrlf.size() || text.substr(next - 2, 2) != kCrlf) {
    return ScanStatus::malformed;
  }
  part.end = next - kCrlf.size();
  if (part.head.content_length && *part.head.content_length != part.end - part.content) {
    return ScanStatus::malformed;
  }
  return ScanStatus::ok;
}

Field field_of(std::string_view text, const Part& part) noexcept {
  Field field;
  field.value = {static_cast<std::uint32_t>(part.content), static_cast<std::uint32_t>(part.end)};
  field.whole = {static_cast<std::uint32_t>(part.begin), static_cast<std::uint32_t>(part.end)};
  field.is_file = part.head.has_filename && (!part.head.empty_filename || field.value.size() > 0);
  const std::string_view name = part.head.file_name;
  if (!name.empty()) {
    field.file_name = span_of(text.data(), name.data(), name.data() + name.size());
  }
  return field;
}

std::string_view header_line_of(std::string_view text, const Field& field,
                                std::string_view name) noexcept {
  const std::string_view head = Span{field.whole.begin, field.value.begin}.in(text);
  const std::size_t lines = head.find(kCrlf) + kCrlf.size();
  return find_header_line(head.substr(lines, head.size() - lines - kCrlf.size()), name);
}

}  // namespace

ScanStatus scan_multipart(std::string_view text, std::string_view boundary,
                          const MultipartLimits& limits, std::string& /*scratch*/,
                          FlatVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  if (!starts_with_delimiter(text, boundary)) return ScanStatus::malformed;
  const std::string_view dash_boundary = text.substr(0, kDashes.size() + boundary.size());
  std::size_t at = 0;
  for (std::size_t parts = 0;; ++parts) {
    const std::string_view behind = text.substr(at + dash_boundary.size());
    if (behind == "--" || behind == "--\r\n") return ScanStatus::ok;
    if (!behind.starts_with(kCrlf)) return ScanStatus::malformed;
    if (parts == limits.parts) return ScanStatus::too_large;
    Part part;
    part.begin = at;
    part.content = at + dash_boundary.size() + kCrlf.size();
    const ScanStatus status = read_part(text, dash_boundary, limits, part);
    if (status != ScanStatus::ok) return status;
    if (!visitor.on_field(part.head.name, field_of(text, part))) return ScanStatus::stopped;
    at = part.end + kCrlf.size();
  }
}

bool multipart_value_is_safe(std::string_view text, std::string_view boundary) {
  for (std::size_t line = 0;;) {
    if (starts_with_delimiter(text.substr(line), boundary)) return false;
    line = text.find_first_of(kCrlf, line);
    if (line == std::string_view::npos) return true;
    ++line;
  }
}

void multipart_edits(std::string_view text, std::span<const FieldEdit> fields,
                     std::vector<Edit>& out) {
  for (const FieldEdit& edit : fields) {
    const Span value = edit.field.value;
    const Span whole = edit.field.whole;
    if (edit.remove) {
      // With its delimiter and the CRLF that belongs to the next one.
      const auto behind = static_cast<std::uint32_t>(whole.end + kCrlf.size());
      out.push_back({{whole.begin, behind}, {}, {}});
      continue;
    }
    const Span length = multipart_length_line(text, edit.field);
    if (length.size() > 0) out.push_back({length, {}, {}});
    out.push_back({value, edit.replacement, {}});
  }
}

Span multipart_length_line(std::string_view text, const Field& field) {
  const std::string_view length = header_line_of(text, field, "content-length");
  if (length.empty()) return {};
  return span_of(text.data(), length.data(), length.data() + length.size());
}

bool multipart_type_names_file(std::string_view text, const Field& field) noexcept {
  std::string_view line = header_line_of(text, field, "content-type");
  line = line.substr(0, line.size() - std::min(line.size(), kCrlf.size()));
  const std::size_t first = line.find(';');
  if (first == std::string_view::npos) return false;
  line.remove_prefix(first);
  ParameterReader reader(line.substr(0, line.find_last_not_of(" \t") + 1));
  for (Parameter parameter;;) {
    const ParameterReader::Step step = reader.next(parameter);
    if (step == ParameterReader::Step::end) return false;
    if (step == ParameterReader::Step::malformed) return true;  // read_part_head let none pass
    if (step == ParameterReader::Step::empty) continue;
    const std::string_view name = parameter.name.substr(0, parameter.name.find('*'));
    if (equals_ignoring_case(name, "name") || equals_ignoring_case(name, "filename")) return true;
  }
}

}  // namespace paravent::proxy::body
