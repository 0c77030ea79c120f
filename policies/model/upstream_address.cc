#include "policies/model/upstream_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

using Parsed = std::variant<UpstreamAddress, UpstreamFault>;

constexpr std::size_t kMaxUnixPath = 107;  // sockaddr_un::sun_path without its NUL

UpstreamFault fault(std::string message) {
  return {std::move(message), "Write http://HOST:PORT, https://HOST:PORT or unix:/PATH"};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  if (text.empty() || text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

Parsed parse_unix(std::string_view text) {
  UpstreamAddress address;
  address.text = text;
  address.unix_path = text.substr(5);
  const bool plain = std::all_of(address.unix_path.begin(), address.unix_path.end(),
                                 [](char c) { return c > ' ' && c != 0x7F; });
  if (address.unix_path.size() < 2 || address.unix_path.front() != '/' || !plain) {
    return fault("the socket needs an absolute path without blanks");
  }
  if (address.unix_path.size() > kMaxUnixPath) {
    return fault("the socket's path is longer than " + std::to_string(kMaxUnixPath) + " bytes");
  }
  return address;
}

}  // namespace

bool is_ipv4(std::string_view text) noexcept {
  in_addr unused{};
  const std::string copy(text);
  return copy.size() == text.size() && inet_pton(AF_INET, copy.c_str(), &unused) == 1;
}

bool is_loopback(const UpstreamAddress& address) noexcept {
  return !address.unix_path.empty() || address.host == "::1" ||
         (is_ipv4(address.host) && address.host.starts_with("127."));
}

bool is_ipv6(std::string_view text) noexcept {
  in6_addr unused{};
  const std::string copy(text);
  return inet_pton(AF_INET6, copy.c_str(), &unused) == 1;
}

bool is_host_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 253) return false;
  bool last_is_number = true;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view label = text.substr(begin, end - begin);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    last_is_number = true;
    for (const char c : label) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit && !(c >= 'a' && c <= 'z') && c != '-') return false;
      if (!digit) last_is_number = false;
    }
    begin = end + 1;
  }
  return !last_is_number;
}

Parsed parse_upstream(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  UpstreamAddress address;
  address.tls = text.starts_with("https://");
  if (!address.tls && !text.starts_with("http://")) return fault("no address of an upstream");
  address.text = text;
  address.port = address.tls ? 443 : 80;
  std::string_view rest = text.substr(text.find("//") + 2);
  if (rest.ends_with('/')) return fault("nothing may follow the host, not even a '/'");
  std::string_view host = rest;
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) return fault("the bracket of the address is not closed");
    host = rest.substr(1, close - 1);
    rest = rest.substr(close + 1);
    has_port = rest.starts_with(':');
    if (!has_port && !rest.empty()) return fault("something follows the address");
    port = has_port ? rest.substr(1) : std::string_view();
    if (!is_ipv6(host)) return fault(in_quotes(host) + " is no IPv6 address");
  } else {
    const std::size_t colon = rest.find(':');
    has_port = colon != std::string_view::npos;
    host = rest.substr(0, colon);
    if (has_port) port = rest.substr(colon + 1);
    if (host.find('@') != std::string_view::npos || rest.find('@') != std::string_view::npos) {
      return fault("credentials do not belong in an upstream");
    }
    if (!is_ipv4(host) && !is_host_name(lower(host))) {
      return fault(in_quotes(host) + " is no host name or address");
    }
  }
  if (has_port && !parse_port(port, address.port)) return fault(in_quotes(port) + " is no port");
  address.host = lower(host);
  return address;
}

}  // namespace paravent::policies
