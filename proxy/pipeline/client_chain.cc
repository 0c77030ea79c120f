#include "proxy/pipeline/client_chain.h"

#include <array>
#include <cstddef>
#include <optional>

#include "proxy/pipeline/generalise/bare_address.h"

namespace paravent::proxy {
namespace {

using Hop = TrustedProxies::Hop;

// More hops than any real chain has; a longer one is believed in nothing.
constexpr std::size_t kMostHops = 32;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr bool is_token(char c) noexcept {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// The hops that a header names, in its order. `broken`: nothing in it can be believed.
struct Hops {
  std::array<std::string_view, kMostHops> text;
  std::size_t count = 0;
  bool present = false;
  bool broken = false;

  void add(std::string_view hop) noexcept {
    if (count == kMostHops) {
      broken = true;
      return;
    }
    text[count++] = hop;
  }
};

void read_list(std::string_view value, Hops& hops) noexcept {
  for (;;) {
    const std::size_t comma = value.find(',');
    hops.add(bare_address(trimmed(value.substr(0, comma))));
    if (comma == std::string_view::npos || hops.broken) return;
    value.remove_prefix(comma + 1);
  }
}

// RFC 7239 6: an IPv4 address, or an IPv6 address in brackets, with a port or an obfuscated one
// behind it. Everything else ("unknown", "_name") is no address; the result is then empty.
std::string_view node_address(std::string_view node) noexcept {
  std::string_view port;
  std::string_view address;
  if (node.starts_with('[')) {
    const std::size_t close = node.find(']');
    if (close == std::string_view::npos) return {};
    address = node.substr(1, close - 1);
    port = node.substr(close + 1);
    if (address.find(':') == std::string_view::npos) return {};
  } else {
    const std::size_t colon = node.find(':');
    address = node.substr(0, colon);
    if (colon != std::string_view::npos) port = node.substr(colon);
  }
  if (port.empty()) return address;
  if (port.front() != ':' || port.size() < 2) return {};
  if (port[1] == '_') return address;
  return bare_address(node) == address ? address : std::string_view();
}

// One line of Forwarded, from its first byte to its last or to what breaks it.
class ForwardedReader {
 public:
  ForwardedReader(std::string_view line, Hops& hops) noexcept : left_(line), hops_(hops) {}

  void read() noexcept {
    while (element() && take(',')) continue;
    if (!left_.empty()) hops_.broken = true;
  }

 private:
  bool take(char c) noexcept {
    skip_blanks();
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  void skip_blanks() noexcept {
    while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
  }

  // forwarded-element: pairs between semicolons, "for" at most once.
  bool element() noexcept {
    std::optional<std::string_view> node;
    do {
      std::string_view name;
      std::string_view value;
      if (!pair(name, value)) return broken();
      if (!same_header_name(name, "for")) continue;
      if (node) return broken();
      node = value;
    } while (take(';'));
    // An element that says nothing of its client is a hop that nobody knows.
    hops_.add(node ? node_address(*node) : std::string_view());
    return !hops_.broken;
  }

  bool broken() noexcept {
    hops_.broken = true;
    return false;
  }

  // token "=" ( token / quoted-string ), no white space around "=".
  bool pair(std::string_view& name, std::string_view& value) noexcept {
    skip_blanks();
    name = token();
    if (name.empty() || left_.empty() || left_.front() != '=') return false;
    left_.remove_prefix(1);
    if (left_.empty() || left_.front() != '"') {
      value = token();
      return !value.empty();
    }
    left_.remove_prefix(1);
    // An escape has no place in an address: whoever writes one wants to be read in two ways.
    const std::size_t end = left_.find_first_of("\"\\");
    if (end == std::string_view::npos || left_[end] == '\\') return false;
    value = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return true;
  }

  std::string_view token() noexcept {
    std::size_t n = 0;
    while (n < left_.size() && is_token(left_[n])) ++n;
    const std::string_view text = left_.substr(0, n);
    left_.remove_prefix(n);
    return text;
  }

  std::string_view left_;
  Hops& hops_;
};

// From the right: whom the proxy nearest to us saw, and so on while it is a proxy of ours.
std::string_view walk(const Hops& hops, const Peer& peer) noexcept {
  if (hops.broken) return {};
  for (std::size_t i = hops.count; i-- > 0;) {
    const std::string_view hop = hops.text[i];
    if (hop.empty() || peer.proxies == nullptr) return hop;
    const Hop kind = peer.proxies->look_up(hop);
    if (kind == Hop::no_address) return {};
    if (kind == Hop::client || i == 0) return hop;
  }
  return {};
}

}  // namespace

std::string_view believed_client(const RequestHead& head, const Peer& peer) noexcept {
  if (!peer.trusted) return peer.address;
  Hops list;
  Hops forwarded;
  for (const HeaderLine& line : head.headers) {
    if (line.id != HeaderName::address_family) continue;
    if (same_header_name(line.name, "X-Forwarded-For")) {
      list.present = true;
      read_list(line.value, list);
    } else if (same_header_name(line.name, "Forwarded")) {
      forwarded.present = true;
      ForwardedReader(line.value, forwarded).read();
    }
  }
  if (!list.present && !forwarded.present) return peer.address;
  if (!list.present) return walk(forwarded, peer);
  const std::string_view client = walk(list, peer);
  if (forwarded.present && !same_header_name(walk(forwarded, peer), client)) return {};
  return client;
}

}  // namespace paravent::proxy
