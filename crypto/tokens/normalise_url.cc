// Web addresses (RFC 3986 section 6.2.2 and 6.2.3): absolute ones of http and https, and absolute
// paths. Scheme and host lowered, a host with other letters in its A-label form, the default port
// and empty parts of the authority gone, dot segments removed, unreserved characters never escaped,
// all others that RFC 3986 does not allow escaped in upper case. Query and fragment stay, in their
// order.
//
// What browsers and servers read differently (a backslash, a control character, "//" without a
// scheme, escapes in a host) is refused.

#include <array>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/ascii.h"
#include "crypto/tokens/domain_name.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/percent.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"
#include "crypto/tokens/visible_text.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxHost = 1024;  // 253 once normalised; international letters take more
constexpr std::size_t kMaxIpv4 = 15;

struct Scheme {
  std::string_view name;
  std::string_view default_port;
};

constexpr std::array<Scheme, 2> kSchemes = {{{"https://", "443"}, {"http://", "80"}}};

bool starts_with_lowered(std::string_view text, std::string_view lower) noexcept {
  if (text.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

// A name whose last label is a number, decimal or "0x" hexadecimal, can only be an IPv4 address,
// and browsers read it as one.
bool ends_in_number(std::string_view host) noexcept {
  const std::size_t dot = host.rfind('.');
  std::string_view label = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (!label.starts_with("0x")) return all_digits(label);
  label.remove_prefix(2);
  return label.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Whether `host` is an IPv4 address in its normal form, which is the only one normalise_ip takes.
bool is_ipv4(std::string_view host, std::string& out) {
  std::array<char, kMaxIpv4> copy{};  // `host` lies in `out`
  if (host.size() > copy.size()) return false;
  std::memcpy(copy.data(), host.data(), host.size());
  const std::size_t before = out.size();
  const bool good = normalise_ip({copy.data(), host.size()}, out).has_value();
  cut_out(out, before, out.size());
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(copy.data()), copy.size()));
  return good;
}

Status append_ipv6(std::string_view literal, std::string& out) {
  const bool clean =
      literal.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  if (!clean || literal.find(':') == std::string_view::npos) return Error(ErrorKind::malformed);
  const std::size_t start = out.size();
  out.push_back('[');
  if (Status status = normalise_ip(literal, out); !status) return status;
  if (out.find(':', start) == std::string::npos) {
    out.erase(start, 1);  // a mapped address
  } else {
    out.push_back(']');
  }
  return {};
}

Status append_host(std::string_view host, std::string& out) {
  if (host.starts_with('[')) return append_ipv6(host.substr(1, host.size() - 2), out);
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);  // the root of all names
  const std::size_t start = out.size();
  if (host.size() > kMaxHost) return Error(ErrorKind::malformed);
  if (Status status = append_domain_name(host, out); !status) return status;
  const std::string_view name = std::string_view(out).substr(start);
  if (ends_in_number(name) && !is_ipv4(name, out)) return Error(ErrorKind::malformed);
  return {};
}

Status append_port(std::string_view port, std::string_view default_port, std::string& out) {
  if (!all_digits(port)) return Error(ErrorKind::malformed);
  while (port.size() > 1 && port.front() == '0') port.remove_prefix(1);
  constexpr std::string_view kLast = "65535";
  if (port.size() > kLast.size() || (port.size() == kLast.size() && port > kLast)) {
    return Error(ErrorKind::malformed);
  }
  if (!port.empty() && port != default_port) out.append(":").append(port);
  return {};
}

// [user[:password]@] host [:port]
Status append_authority(std::string_view authority, std::string_view default_port,
                        std::string& out) {
  const std::size_t at = authority.find('@');
  if (at != std::string_view::npos) {
    std::string_view user = authority.substr(0, at);
    if (user.find(':') + 1 == user.size()) user = user.substr(0, user.find(':'));  // no password
    if (!append_escaped(user, UrlPart::user, out)) return Error(ErrorKind::malformed);
    if (!user.empty()) out.push_back('@');
    authority.remove_prefix(at + 1);
  }
  // A colon within brackets belongs to the address.
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return Error(ErrorKind::malformed);
  const std::size_t end = bracket > 0 ? bracket + 1 : authority.find(':');
  const std::string_view host = authority.substr(0, end);
  if (Status status = append_host(host, out); !status) return status;
  const std::string_view rest = authority.substr(host.size());
  if (rest.empty()) return {};
  if (rest.front() != ':') return Error(ErrorKind::malformed);
  return append_port(rest.substr(1), default_port, out);
}

// RFC 3986 5.2.4, segment by segment. `path` is empty or begins with "/".
bool append_path(std::string_view path, std::string& out) {
  const std::size_t root = out.size();
  if (path.empty()) out.push_back('/');
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = out.size();
    out.push_back('/');
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (!append_escaped(segment, UrlPart::path, out)) return false;
    const std::string_view written = std::string_view(out).substr(slash + 1);
    const bool up = written == "..";
    if (!up && written != ".") continue;
    std::size_t keep = slash;
    if (up && slash > root) keep = out.rfind('/', slash - 1);
    out.resize(keep);
    if (path.empty()) out.push_back('/');
  }
  return true;
}

// "/path?query#fragment"
Status append_rest(std::string_view rest, std::string& out) {
  const std::string_view path = rest.substr(0, rest.find_first_of("?#"));
  if (!append_path(path, out)) return Error(ErrorKind::malformed);
  rest.remove_prefix(path.size());
  if (rest.starts_with('?')) {
    const std::string_view query = rest.substr(1, rest.find('#') - 1);
    out.push_back('?');
    if (!append_escaped(query, UrlPart::query, out)) return Error(ErrorKind::malformed);
    rest.remove_prefix(1 + query.size());
  }
  if (rest.starts_with('#')) {
    out.push_back('#');
    if (!append_escaped(rest.substr(1), UrlPart::query, out)) return Error(ErrorKind::malformed);
  }
  return {};
}

Status append_url(std::string_view url, std::string& out) {
  if (url.starts_with('/')) {
    const std::size_t start = out.size();
    if (Status status = append_rest(url, out); !status) return status;
    // With two slashes in front it would name a host.
    if (std::string_view(out).substr(start).starts_with("//")) return Error(ErrorKind::malformed);
    return {};
  }
  for (const Scheme& scheme : kSchemes) {
    if (!starts_with_lowered(url, scheme.name)) continue;
    url.remove_prefix(scheme.name.size());
    out.append(scheme.name);
    const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    if (Status status = append_authority(authority, scheme.default_port, out); !status) {
      return status;
    }
    return append_rest(url.substr(authority.size()), out);
  }
  return Error(ErrorKind::malformed);
}

}  // namespace

Status normalise_url(std::string_view value, std::string& out) {
  if (is_ascii(value)) return append_url(trim(value), out);
  const std::size_t start = out.size();
  if (Status status = append_visible(trim_unicode(value), Joiners::kept, out); !status) {
    return status;
  }
  if (Status status = compose_tail(out, start); !status) return status;
  const std::size_t size = out.size() - start;
  // The address is read while its escaped form is written behind it.
  out.reserve(start + size + kMaxEscapeGrowth * size + kMaxHost);
  const std::string_view url = std::string_view(out).substr(start, size);
  Status status = append_url(url, out);
  cut_out(out, start, start + size);
  return status;
}

}  // namespace paravent::crypto
