#include "proxy/net/http1/request_target.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "crypto/base/ip_address.h"
#include "proxy/net/http1/char_class.h"

namespace paravent::proxy::http1 {
namespace {

bool valid_port(std::string_view port) noexcept {
  if (port.empty() || port.size() > 5 || port[0] == '0') return false;
  unsigned value = 0;
  for (const char c : port) {
    if (!is(c, kDigitChar)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

// RFC 1123 2.1: labels begin and end with a letter or a digit; inside, container networks have an
// underscore in theirs. What ends in a number is an IPv4 address or nothing.
bool valid_name(std::string_view name) noexcept {
  std::size_t labels = 0;
  bool numbers = true;
  bool last_is_number = false;
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || !all_of(label, kHostChar)) return false;
    for (const char end : {label.front(), label.back()}) {
      if (end == '-' || end == '_') return false;
    }
    last_is_number = all_of(label, kDigitChar);
    const bool octet = last_is_number && label.size() <= 3 && (label[0] != '0' || label == "0") &&
                       (label.size() < 3 || label <= "255");
    numbers = numbers && octet;
    ++labels;
    if (label.size() == name.size()) break;
    name.remove_prefix(label.size() + 1);
  }
  return !last_is_number || (numbers && labels == 4);
}

// What stands in brackets is an IPv6 address (RFC 3986 3.2.2; the form for later versions of IP is
// nobody's yet).
bool valid_ip_literal(std::string_view inside) noexcept {
  return inside.find(':') != std::string_view::npos && crypto::parse_ip(inside).has_value();
}

constexpr char to_upper_hex(char c) noexcept {
  return c >= 'a' && c <= 'f' ? static_cast<char>(c & ~0x20) : c;
}

// The byte that an escape at the front of `text` stands for; none: there is no escape.
std::optional<unsigned> escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%' || !is(text[1], kHexChar) || !is(text[2], kHexChar)) {
    return std::nullopt;
  }
  return hex_value(text[1]) << 4U | hex_value(text[2]);
}

// An escape that the path may hold at the front of `text`: of a byte that could not stand there
// bare, and that no reader takes for a separator, a terminator, a dot or another escape.
bool plain_escape(std::string_view text) noexcept {
  const auto byte = escaped_byte(text);
  if (!byte || is(static_cast<char>(*byte), kUnreservedChar)) return false;
  if (*byte < 0x20 || *byte == 0x7F || *byte == '/' || *byte == '\\') return false;
  text.remove_prefix(3);
  // "%252f" becomes "%2f" for whoever decodes twice.
  if (*byte == '%') return text.size() < 2 || !is(text[0], kHexChar) || !is(text[1], kHexChar);
  // Overlong UTF-8 (RFC 3629 10): a lax decoder reads %C0%AF as a slash.
  if (*byte == 0xC0 || *byte == 0xC1) return false;
  const unsigned next = escaped_byte(text).value_or(0);
  return !(*byte == 0xE0 && next < 0xA0) && !(*byte == 0xF0 && next < 0x90);
}

}  // namespace

bool valid_host(std::string_view host) noexcept {
  if (host.empty() || host.size() > 255) return false;
  std::size_t name_end = 0;
  if (host[0] == '[') {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos || !valid_ip_literal(host.substr(1, close - 1))) {
      return false;
    }
    name_end = close + 1;
  } else {
    name_end = std::min(host.find(':'), host.size());
    if (!valid_name(host.substr(0, name_end))) return false;
  }
  if (name_end == host.size()) return true;
  return host[name_end] == ':' && valid_port(host.substr(name_end + 1));
}

bool valid_query(std::string_view query) noexcept {
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (is(query[i], kQueryChar)) continue;
    if (query[i] != '%' || i + 2 >= query.size()) return false;
    if (!is(query[i + 1], kHexChar) || !is(query[i + 2], kHexChar)) return false;
    // Readers written in C end at a NUL.
    if (query[i + 1] == '0' && query[i + 2] == '0') return false;
    i += 2;
  }
  return true;
}

bool normal_path(std::span<char> path) noexcept {
  if (path.empty() || path[0] != '/') return false;
  const std::size_t n = path.size();
  for (std::size_t i = 0; i < n; ++i) {
    const char c = path[i];
    if (c == '/') {
      if (i + 1 == n) continue;
      if (path[i + 1] == '/') return false;
      if (path[i + 1] != '.') continue;
      // "/." and "/..", at the end, in front of another segment, or of a path parameter: servlet
      // containers cut those off before they resolve the dots.
      const std::size_t next = i + 2 < n && path[i + 2] == '.' ? i + 3 : i + 2;
      if (next == n || path[next] == '/' || path[next] == ';') return false;
    } else if (c == '%') {
      if (!plain_escape(std::string_view(path.data() + i, n - i))) return false;
      path[i + 1] = to_upper_hex(path[i + 1]);
      path[i + 2] = to_upper_hex(path[i + 2]);
      i += 2;
    } else if (!is(c, kPathChar)) {
      return false;
    }
  }
  return true;
}

}  // namespace paravent::proxy::http1
