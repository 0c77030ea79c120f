#include "proxy/pipeline/generalise/url_rule.h"

#include <algorithm>
#include <optional>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;

// A browser would read a backslash as a slash, and then another host than we did.
bool is_plain(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F || c == '\\';
  });
}

// The scheme without its colon; empty for a relative reference.
std::string_view scheme_of(std::string_view url) noexcept {
  if (url.empty() || !generalise::is_letter(url.front())) return {};
  for (std::size_t i = 1; i < url.size(); ++i) {
    const char c = url[i];
    if (c == ':') return url.substr(0, i);
    if (!generalise::is_letter(c) && !generalise::is_digit(c) && c != '+' && c != '-' && c != '.') {
      break;
    }
  }
  return {};
}

// A registered name, an address in brackets, a port; nothing that some reader takes for the end.
bool is_host(std::string_view text) noexcept {
  const auto allowed = [](char c) {
    return generalise::is_letter(c) || generalise::is_digit(c) ||
           static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("-._~:[]%").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.front() != ':' && std::all_of(text.begin(), text.end(), allowed);
}

bool is_file(std::string_view scheme) noexcept {
  constexpr std::string_view kFile = "file";
  return std::equal(scheme.begin(), scheme.end(), kFile.begin(), kFile.end(),
                    [](char a, char b) { return generalise::lower(a) == b; });
}

int hex_value(char c) noexcept {
  if (generalise::is_digit(c)) return c - '0';
  const char low = generalise::lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The next byte of a percent-encoded text; a broken triplet stands for itself.
char next_byte(std::string_view text, std::size_t& at) noexcept {
  if (text[at] == '%' && at + 2 < text.size()) {
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high >= 0 && low >= 0) {
      at += 3;
      return static_cast<char>(high * 16 + low);
    }
  }
  return text[at++];
}

bool equal_decoded(std::string_view a, std::string_view b) noexcept {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (next_byte(a, i) != next_byte(b, j)) return false;
  }
  return i == a.size() && j == b.size();
}

// Takes the text up to the next `separator` off the front of `rest`; `rest` is null at the end.
std::string_view take_until(std::string_view& rest, char separator) noexcept {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

std::string_view without_parameters(std::string_view segment) noexcept {
  return segment.substr(0, segment.find(';'));
}

std::string_view without_last_slash(std::string_view path) noexcept {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool fits(std::string_view path, std::string_view pattern) noexcept {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  pattern = without_last_slash(pattern).substr(1);
  while (true) {
    const std::string_view segment = without_parameters(take_until(path, '/'));
    const std::string_view wanted = take_until(pattern, '/');
    const bool same = wanted == "*" ? !segment.empty() : equal_decoded(segment, wanted);
    if (!same) return false;
    // A slash at the end does not count, nor parameters behind it.
    const bool path_ends = path.find('/') == path.npos && without_parameters(path).empty();
    const bool pattern_ends = pattern.data() == nullptr;
    if (path_ends || pattern_ends) return path_ends && pattern_ends;
  }
}

bool is_template(std::string_view text) noexcept {
  if (!text.starts_with('/') || text.starts_with("//") || !is_plain(text) ||
      text.find_first_of("?#;") != text.npos) {
    return false;
  }
  std::string_view rest = text.substr(1);
  while (rest.data() != nullptr) {
    const std::string_view segment = take_until(rest, '/');
    if (segment != "*" && segment.find('*') != segment.npos) return false;
  }
  return true;
}

}  // namespace

crypto::Result<UrlRule> UrlRule::create(std::span<const std::string> keep_query,
                                        std::span<const std::string> templates) {
  for (const std::string& one : templates) {
    if (is_template(one)) continue;
    return Error(ErrorKind::configuration,
                 "A template of paths begins with \"/\", its segments are literal or \"*\", and it "
                 "has no query, fragment or parameter.");
  }
  UrlRule rule;
  rule.keep_query_.assign(keep_query.begin(), keep_query.end());
  rule.templates_.assign(templates.begin(), templates.end());
  return rule;
}

crypto::Status UrlRule::append(std::string_view value, std::string& out) const {
  value = generalise::trimmed(value);
  if (!is_plain(value)) return Error(ErrorKind::malformed);
  std::string_view rest = value.substr(0, value.find('#'));
  const std::string_view scheme = scheme_of(rest);
  const std::size_t authority = scheme.empty() ? 0 : scheme.size() + 1;
  const bool has_authority = rest.substr(authority).starts_with("//");
  if (!scheme.empty() && (!has_authority || is_file(scheme))) return Error(ErrorKind::malformed);

  if (has_authority) {
    const std::size_t begin = authority + 2;
    const std::size_t end = std::min(rest.find_first_of("/?", begin), rest.size());
    std::string_view host = rest.substr(begin, end - begin);
    // "a@b@c" is host c to every reader, and a name with an "@" to none.
    if (const std::size_t at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
    if (!is_host(host)) return Error(ErrorKind::malformed);
    out.append(rest.substr(0, begin)).append(host);
    rest.remove_prefix(end);
  }
  const std::size_t question = rest.find('?');
  const std::size_t start = out.size();
  append_path(rest.substr(0, question), out);
  // Without its parameters a relative reference may turn into another kind of one: ";x/a" into the
  // path "/a", and "/;x/a" into the host a.
  const bool turned =
      rest.starts_with(';') || std::string_view(out).substr(start).starts_with("//");
  if (!has_authority && turned) {
    out.resize(start);
    return Error(ErrorKind::malformed);
  }
  if (question != rest.npos) append_query(rest.substr(question + 1), out);
  return {};
}

void UrlRule::append_path(std::string_view path, std::string& out) const {
  const auto found = std::find_if(templates_.begin(), templates_.end(),
                                  [path](const std::string& one) { return fits(path, one); });
  if (found != templates_.end()) {
    out.append(*found);
    return;
  }
  for (std::string_view rest = path; rest.data() != nullptr;) {
    out.append(without_parameters(take_until(rest, '/')));
    if (rest.data() != nullptr) out.push_back('/');
  }
}

void UrlRule::append_query(std::string_view query, std::string& out) const {
  if (keep_query_.empty()) return;
  char separator = '?';
  while (query.data() != nullptr) {
    const std::string_view pair = take_until(query, '&');
    // Some servers separate parameters by ";" as well: then a second one would hide in this one.
    if (pair.find(';') != pair.npos) continue;
    const std::string_view name = pair.substr(0, pair.find('='));
    if (std::find(keep_query_.begin(), keep_query_.end(), name) == keep_query_.end()) continue;
    out.push_back(separator);
    out.append(pair);
    separator = '&';
  }
}

}  // namespace paravent::proxy
