#include "policies/model/path_pattern.h"

#include <algorithm>

#include "policies/model/diagnostics.h"

namespace paravent::policies {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;

bool is_upper_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

int hex_value(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

bool is_unreserved(int c) {  // RFC 3986 2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::optional<PathFault> bad_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c > '~' || c == '\\') {
      return PathFault{"a path is printable ASCII without blanks", "Percent-encode other bytes"};
    }
    if (c == '?' || c == '#') {
      return PathFault{"a path ends before '?' and '#'", "Query fields are rules: query.NAME"};
    }
    if (c != '%') continue;
    const bool hex = i + 2 < text.size() && is_upper_hex(text[i + 1]) && is_upper_hex(text[i + 2]);
    if (!hex) return PathFault{"'%' is followed by two upper-case hexadecimal digits", {}};
    const int byte = hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
    if (is_unreserved(byte) || byte == '/' || byte == '\\' || byte == 0) {
      return PathFault{"this percent-encoding never arrives in a path of normal form",
                       "Write the character itself"};
    }
  }
  return std::nullopt;
}

// The next segment of `rest` without its '/', which is taken off.
std::string_view next_segment(std::string_view& rest) noexcept {
  rest.remove_prefix(1);
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end);
  return segment;
}

bool is_parameter(std::string_view segment) noexcept {
  return segment.starts_with('{') && segment.ends_with('}');
}

bool segment_matches(std::string_view pattern, std::string_view segment) noexcept {
  return is_parameter(pattern) ? !segment.empty() : glob_matches(pattern, segment);
}

std::optional<PathFault> bad_braces(std::string_view segment,
                                    const std::vector<PathParameter>& known) {
  if (segment.find_first_of("{}") == std::string_view::npos) return std::nullopt;
  const std::string_view name =
      is_parameter(segment) ? segment.substr(1, segment.size() - 2) : std::string_view();
  const bool plain = !name.empty() && name.size() <= 64 &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) { return is_unreserved(c) && c != '.' && c != '~'; });
  if (!plain) {
    return PathFault{"braces stand around the name of a whole segment",
                     "For example /users/{id}, of letters, digits, '_' and '-'"};
  }
  const bool again = std::any_of(known.begin(), known.end(),
                                 [&](const PathParameter& other) { return other.name == name; });
  if (again) return PathFault{"two segments are called " + in_quotes(name), {}};
  return std::nullopt;
}

}  // namespace

std::string_view path_segment(std::string_view path, std::size_t number) noexcept {
  std::string_view segment = next_segment(path);
  while (number-- > 0) segment = next_segment(path);
  return segment;
}

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::variant<PathPattern, PathFault> PathPattern::parse(std::string_view text) {
  if (text.empty() || text.front() != '/') {
    return PathFault{"a path begins with '/'", "For example /contact or /blog/*"};
  }
  if (text.size() > kMaxPathBytes) {
    return PathFault{"the path is longer than " + std::to_string(kMaxPathBytes) + " bytes", {}};
  }
  if (auto fault = bad_character(text)) return std::move(*fault);
  PathPattern pattern;
  std::string_view rest = text;
  for (std::size_t number = 0; !rest.empty(); ++number) {
    const std::string_view segment = next_segment(rest);
    if (auto fault = bad_braces(segment, pattern.parameters_)) return std::move(*fault);
    if (is_parameter(segment)) {
      pattern.parameters_.push_back({std::string(segment.substr(1, segment.size() - 2)), number});
    }
    if (segment == "." || segment == ".." || (segment.empty() && !rest.empty())) {
      return PathFault{"'//', '/./' and '/../' never arrive in a path of normal form",
                       "Write the path without them"};
    }
    if (segment.find("**") != std::string_view::npos) {
      return PathFault{"'**' is not known", "'/*' at the end matches everything below"};
    }
  }
  pattern.text_ = text;
  pattern.is_exact_ = text.find('*') == std::string_view::npos && pattern.parameters_.empty();
  pattern.has_tail_ = text.ends_with("/*");
  return pattern;
}

bool PathPattern::matches(std::string_view path) const noexcept {
  if (is_exact_) return path == text_;
  std::string_view pattern = text_;
  if (has_tail_) pattern.remove_suffix(2);
  while (!pattern.empty()) {
    if (path.empty() || path.front() != '/') return false;
    if (!segment_matches(next_segment(pattern), next_segment(path))) return false;
  }
  return has_tail_ ? path.starts_with('/') : path.empty();
}

bool PathPattern::covers(const PathPattern& other) const noexcept {
  if (text_ == other.text_) return true;
  if (other.is_exact_) return matches(other.text_);
  std::string_view mine = text_;
  std::string_view theirs = other.text_;
  if (has_tail_) mine.remove_suffix(2);
  if (other.has_tail_) theirs.remove_suffix(2);
  while (!mine.empty()) {
    if (theirs.empty()) return false;
    const std::string_view a = next_segment(mine);
    const std::string_view b = next_segment(theirs);
    const bool literal = b.find('*') == std::string_view::npos && !is_parameter(b);
    const bool all = a == "*" || (is_parameter(a) && is_parameter(b));
    if (!all && !(literal ? segment_matches(a, b) : a == b)) return false;
  }
  if (has_tail_) return other.has_tail_ || !theirs.empty();
  return theirs.empty() && !other.has_tail_;
}

}  // namespace paravent::policies
