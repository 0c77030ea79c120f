#include "proxy/net/http1/request_target.h"

#include <cstddef>

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

bool valid_ip_literal(std::string_view inside) noexcept {
  if (inside.size() < 2 || inside.size() > 45) return false;
  bool colon = false;
  for (const char c : inside) {
    if (c == ':') {
      colon = true;
    } else if (!is(c, kHexChar) && c != '.') {
      return false;
    }
  }
  return colon;
}

constexpr char to_upper_hex(char c) noexcept {
  return c >= 'a' && c <= 'f' ? static_cast<char>(c & ~0x20) : c;
}

// An escape that the path may hold: of a byte that could not stand there bare, and that no reader
// takes for a separator, a terminator or a dot.
bool plain_escape(char high, char low) noexcept {
  if (!is(high, kHexChar) || !is(low, kHexChar)) return false;
  const auto byte = static_cast<char>(hex_value(high) << 4U | hex_value(low));
  if (is(byte, kUnreservedChar)) return false;
  return byte != '/' && byte != '\\' && byte != '\0' && byte != '\r' && byte != '\n';
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
    bool label = false;
    for (; name_end < host.size() && host[name_end] != ':'; ++name_end) {
      const char c = host[name_end];
      if (!is(c, kHostChar)) return false;
      if (c == '.' && !label) return false;
      label = c != '.';
    }
    if (!label) return false;
  }
  if (name_end == host.size()) return true;
  return host[name_end] == ':' && valid_port(host.substr(name_end + 1));
}

bool valid_query(std::string_view query) noexcept {
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (is(query[i], kQueryChar)) continue;
    if (query[i] != '%' || i + 2 >= query.size()) return false;
    if (!is(query[i + 1], kHexChar) || !is(query[i + 2], kHexChar)) return false;
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
      // "/." and "/..", at the end or in front of another segment.
      const std::size_t next = i + 2 < n && path[i + 2] == '.' ? i + 3 : i + 2;
      if (next == n || path[next] == '/') return false;
    } else if (c == '%') {
      if (i + 2 >= n || !plain_escape(path[i + 1], path[i + 2])) return false;
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
