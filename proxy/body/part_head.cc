#include "proxy/body/part_head.h"

#include "proxy/body/find_stop.h"
#include "proxy/body/header_value.h"
#include "proxy/body/media_type.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

constexpr std::string_view kCrlf = "\r\n";

struct HeaderLine {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// `line` without its CRLF. A folded line starts with white space and so has no name.
bool split_line(std::string_view line, HeaderLine& out) noexcept {
  out.name = leading_token(line);
  if (out.name.empty() || out.name.size() == line.size() || line[out.name.size()] != ':') {
    return false;
  }
  std::string_view value = line.substr(out.name.size() + 1);
  const std::size_t begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    out.value = {};
    return true;
  }
  value.remove_prefix(begin);
  out.value = value.substr(0, value.find_last_not_of(" \t") + 1);
  return true;
}

// Two names for one field: WHATWG readers undo the escapes that browsers write for a quote and line
// ends, PHP does not; PHP takes single quotes for quotes, the others do not; readers made for mail
// (Java's, .NET's) decode encoded words (RFC 2047).
bool is_read_in_two_ways(std::string_view name) noexcept {
  if (name.starts_with('\'') || name.find("=?") != std::string_view::npos) return true;
  for (std::size_t at = name.find('%'); at != std::string_view::npos; at = name.find('%', at + 1)) {
    const std::string_view digits = name.substr(at + 1, 2);
    if (digits == "22" || equals_ignoring_case(digits, "0a") ||
        equals_ignoring_case(digits, "0d")) {
      return true;
    }
  }
  return false;
}

// Readers that look for `; name=` from the end of the line, quotes or not, find it in here.
bool hides_name(std::string_view value) noexcept {
  constexpr std::string_view kName = "name";
  for (std::size_t at = value.find(';'); at != std::string_view::npos;
       at = value.find(';', at + 1)) {
    std::string_view rest = value.substr(at + 1);
    const std::size_t begin = rest.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return false;
    rest.remove_prefix(begin);
    if (!equals_ignoring_case(rest.substr(0, kName.size()), kName)) continue;
    rest.remove_prefix(kName.size());
    const std::size_t behind = rest.find_first_not_of(" \t");
    if (behind != std::string_view::npos && rest[behind] == '=') return true;
  }
  return false;
}

// Whether every reader ends this parameter where ours does. To PHP a single quote outside of double
// ones opens a text that goes on to the next, over semicolons and all.
bool ends_in_one_place(const Parameter& parameter) noexcept {
  if (parameter.name.find('\'') != std::string_view::npos) return false;
  if (!parameter.quoted) return parameter.value.find('\'') == std::string_view::npos;
  return !hides_name(parameter.value);
}

// Of a parameter that is neither `name` nor `filename`, which no browser sends.
bool is_plain(std::string_view value) noexcept {
  return leading_token(value).size() == value.size() && value.find('\'') == std::string_view::npos;
}

ScanStatus read_disposition(std::string_view value, PartHead& out) {
  const std::string_view type = leading_token(value);
  if (!equals_ignoring_case(type, "form-data")) return ScanStatus::malformed;
  ParameterReader reader(value.substr(type.size()));
  for (Parameter parameter;;) {
    const ParameterReader::Step step = reader.next(parameter);
    if (step == ParameterReader::Step::end) break;
    if (step != ParameterReader::Step::parameter) return ScanStatus::malformed;
    // `name*=` and `filename*=` (RFC 5987) are forbidden here (RFC 7578 4.2) and read by some.
    if (parameter.name.find('*') != std::string_view::npos) return ScanStatus::malformed;
    if (!ends_in_one_place(parameter)) return ScanStatus::malformed;
    if (equals_ignoring_case(parameter.name, "name")) {
      // Browsers send a backslash as itself, RFC 822 readers drop it: two names for one field.
      if (parameter.has_backslash || is_read_in_two_ways(parameter.value)) {
        return ScanStatus::malformed;
      }
      out.name = parameter.value;
    } else if (equals_ignoring_case(parameter.name, "filename")) {
      out.has_filename = true;
      out.empty_filename = parameter.value.empty();
      out.file_name = parameter.value;
    } else if (!is_plain(parameter.value)) {
      return ScanStatus::malformed;
    }
  }
  return out.name.empty() || !is_valid_utf8(out.name) ? ScanStatus::malformed : ScanStatus::ok;
}

ScanStatus check_type(std::string_view value) {
  const std::string_view type = leading_token(value);
  if (equals_ignoring_case(type, "multipart")) return ScanStatus::unsupported;
  const std::optional<ContentType> parsed = parse_content_type(value);
  if (!parsed) return ScanStatus::malformed;
  return parsed->utf8 ? ScanStatus::ok : ScanStatus::unsupported;
}

ScanStatus check_transfer_encoding(std::string_view value) {
  const bool plain = equals_ignoring_case(value, "7bit") || equals_ignoring_case(value, "8bit") ||
                     equals_ignoring_case(value, "binary");
  return plain ? ScanStatus::ok : ScanStatus::unsupported;
}

ScanStatus read_length(std::string_view value, PartHead& out) {
  if (value.empty() || value.size() > 10) return ScanStatus::malformed;
  std::size_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return ScanStatus::malformed;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  out.content_length = length;
  return ScanStatus::ok;
}

ScanStatus read_header(const HeaderLine& line, PartHead& out) {
  if (equals_ignoring_case(line.name, "content-disposition")) {
    return read_disposition(line.value, out);
  }
  if (equals_ignoring_case(line.name, "content-type")) {
    out.content_type = line.value;
    return check_type(line.value);
  }
  if (equals_ignoring_case(line.name, "content-transfer-encoding")) {
    return check_transfer_encoding(line.value);
  }
  if (equals_ignoring_case(line.name, "content-length")) return read_length(line.value, out);
  return ScanStatus::ok;
}

// The length of the line at the start of `text`, up to the first control byte that is not a tab: in
// a good head that is the CR of its own CRLF.
std::size_t line_length(std::string_view text) noexcept {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* p = begin;
  for (;;) {
    p = find_stop<HighBytes::pass, '\x7f'>(p, end);
    if (p == end || *p != '\t') return static_cast<std::size_t>(p - begin);
    ++p;
  }
}

}  // namespace

ScanStatus read_part_head(std::string_view text, const MultipartLimits& limits, PartHead& out) {
  std::size_t at = 0;
  for (std::size_t headers = 0;; ++headers) {
    const std::size_t length = line_length(text.substr(at));
    if (at + length > limits.part_head_bytes) return ScanStatus::too_large;
    if (!text.substr(at + length).starts_with(kCrlf)) return ScanStatus::malformed;
    if (length == 0) break;
    if (headers == limits.headers_per_part) return ScanStatus::too_large;
    HeaderLine line;
    if (!split_line(text.substr(at, length), line)) return ScanStatus::malformed;
    // Twice the same header: whoever takes the first differs from whoever takes the last.
    if (!find_header_line(text.substr(0, at), line.name).empty()) return ScanStatus::malformed;
    const ScanStatus status = read_header(line, out);
    if (status != ScanStatus::ok) return status;
    at += length + kCrlf.size();
  }
  out.size = at + kCrlf.size();
  return out.name.empty() ? ScanStatus::malformed : ScanStatus::ok;
}

std::string_view find_header_line(std::string_view lines, std::string_view name) noexcept {
  while (!lines.empty()) {
    const std::size_t size = lines.find(kCrlf) + kCrlf.size();
    if (equals_ignoring_case(leading_token(lines), name)) return lines.substr(0, size);
    lines.remove_prefix(size);
  }
  return {};
}

}  // namespace paravent::proxy::body
