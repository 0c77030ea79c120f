#include "proxy/main/trial/recorded_request.h"

#include <charconv>
#include <optional>

#include "proxy/pipeline/header_name.h"

namespace paravent::proxy::main {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed_value(std::string_view line, std::size_t colon) {
  line.remove_prefix(colon + 1);
  while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
  while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

}  // namespace

RecordedRequest read_recorded_request(std::string_view text) {
  RecordedRequest request;
  std::optional<std::size_t> declared;
  bool had_framing = false;
  bool multipart = false;
  bool first = true;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (!first && colon != std::string_view::npos) {
      const std::string_view name = line.substr(0, colon);
      const std::string_view value = trimmed_value(line, colon);
      if (same_header_name(name, "Content-Length")) {
        std::size_t number = 0;
        const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
        if (parsed.ec == std::errc()) declared = number;
        had_framing = true;
        continue;
      }
      if (same_header_name(name, "Transfer-Encoding")) {
        had_framing = true;
        continue;
      }
      if (same_header_name(name, "Content-Type")) multipart = value.starts_with("multipart/");
    }
    first = false;
    request.head.append(line).append("\r\n");
  }
  if (declared && *declared <= text.size() &&
      text.substr(*declared).find_first_not_of("\r\n") == std::string_view::npos) {
    text = text.substr(0, *declared);
  } else if (text.ends_with('\n')) {
    text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  }
  // Files that people type have LF; multipart demands CRLF.
  const bool typed = multipart && text.find('\r') == std::string_view::npos;
  request.body = typed ? with_crlf(text) : std::string(text);
  if (typed && !request.body.empty()) request.body.append("\r\n");
  if (!request.body.empty() || had_framing) {
    request.head.append("Content-Length: ").append(std::to_string(request.body.size()));
    request.head.append("\r\n");
  }
  request.head.append("\r\n");
  return request;
}

}  // namespace paravent::proxy::main
