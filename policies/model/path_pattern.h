// PathPattern: which paths a route takes. A path in normal form, where `*` inside a segment matches
// any run without '/', and a last segment that is only `*` matches everything that follows:
// `/contact`, `/js/script*.js`, `/api/*/event`, `/blog/*`. A segment `{name}` matches one whole
// segment that is not empty, and gives rules a name for it: `/users/{id}/orders` and path.id.
//
// Immutable once parsed; matching allocates nothing and takes time linear in path times pattern at
// worst.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace paravent::policies {

struct PathFault {
  std::string message;
  std::string hint;
};

// The `{name}` of a pattern, and which segment it is, from 0.
struct PathParameter {
  std::string name;
  std::size_t segment = 0;
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
  const std::vector<PathParameter>& parameters() const noexcept { return parameters_; }

 private:
  std::string text_;
  bool is_exact_ = true;
  bool has_tail_ = false;  // ends in "/*"
  std::vector<PathParameter> parameters_;
};

// The segment of this number; REQUIRES: the path has so many. A view of `path`.
std::string_view path_segment(std::string_view path, std::size_t number) noexcept;

// `*` matches any run of characters, the empty one too. No backtracking beyond the last `*`.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace paravent::policies
