#include "bench/support/message_head.h"

#include <strings.h>

#include <charconv>

namespace paravent::bench {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void read_header(MessageHead& head, std::string_view line) {
  // Only these three start with c or t; the first letter spares the comparison of all others.
  if (line.empty() || ((line[0] | 0x20) != 'c' && (line[0] | 0x20) != 't')) return;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (same_name(name, "content-length")) {
    const auto parsed =
        std::from_chars(value.data(), value.data() + value.size(), head.content_length);
    head.has_length = parsed.ec == std::errc{};
  } else if (same_name(name, "transfer-encoding")) {
    head.chunked = true;
  } else if (same_name(name, "connection")) {
    head.close = same_name(value, "close");
  }
}

}  // namespace

std::optional<MessageHead> find_head(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  MessageHead head;
  head.head_bytes = end + 4;
  std::string_view rest = bytes.substr(0, end + 2);
  std::size_t line_end = rest.find("\r\n");
  head.start_line = rest.substr(0, line_end);
  if (head.start_line.starts_with("HTTP/1.") && head.start_line.size() >= 12) {
    const char* digits = head.start_line.data() + 9;
    std::from_chars(digits, digits + 3, head.status);
  }
  rest.remove_prefix(line_end + 2);
  while (!rest.empty()) {
    line_end = rest.find("\r\n");
    read_header(head, rest.substr(0, line_end));
    rest.remove_prefix(line_end + 2);
  }
  return head;
}

}  // namespace paravent::bench
