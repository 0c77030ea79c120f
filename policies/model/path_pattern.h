// PathPattern: which paths a route takes. A path in normal form, where `*` inside a segment matches
// any run without '/', and a last segment that is only `*` matches everything that follows:
// `/contact`, `/js/script*.js`, `/api/*/event`, `/blog/*`.
//
// Immutable once parsed; matching allocates nothing and takes time linear in path times pattern at
// worst.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace paravent::policies {

struct PathFault {
  std::string message;
  std::string hint;
};

class PathPattern {
 public:
  static std::variant<PathPattern, PathFault> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  bool is_exact() const noexcept { return is_exact_; }
  bool matches(std::string_view path) const noexcept;
  // True only when every path that `other` matches is matched by this one; may miss some such
  // pairs.
  bool covers(const PathPattern& other) const noexcept;

 private:
  std::string text_;
  bool is_exact_ = true;
  bool has_tail_ = false;  // ends in "/*"
};

// `*` matches any run of characters, the empty one too. No backtracking beyond the last `*`.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace paravent::policies
