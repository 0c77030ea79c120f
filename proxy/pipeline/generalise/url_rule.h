// UrlRule: a web address without what may name a person.
//
// User information, query and fragment go, and so do parameters of path segments (";jsessionid=");
// the query parameters that the policy lists stay, in their order, as they were written. A path
// that fits a template is written as that template, the first one that fits: "/user/42/orders"
// under
// "/user/*/orders" becomes "/user/*/orders". Other paths stay. `*` stands for one whole segment
// that is not empty; the rest must be equal, percent-encoded or not; a slash at the end does not
// count.
//
// Read are absolute addresses ("https://host/path?x"), and relative ones ("//host/path", "/path",
// "path", "?x"). Idempotent. Immutable once made; any thread.
// Source: RFC 3986 3.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy {

class UrlRule {
 public:
  UrlRule() = default;
  // `configuration`: a template that does not begin with "/", or has more than a `*` in a segment
  // with one, or a "?", "#" or ";".
  static crypto::Result<UrlRule> create(std::span<const std::string> keep_query,
                                        std::span<const std::string> templates);

  // No heap once `out` has room. `malformed`, and `out` as it was: white space, a control character
  // or a backslash inside; a scheme without "//" (mailto:, tel:, data:, javascript:) or "file"; an
  // absolute address whose host is missing or no name.
  crypto::Status append(std::string_view value, std::string& out) const;

 private:
  void append_path(std::string_view path, std::string& out) const;
  void append_query(std::string_view query, std::string& out) const;

  std::vector<std::string> keep_query_;
  std::vector<std::string> templates_;
};

}  // namespace paravent::proxy
