// What a credential may be used for. Pure functions.

#pragma once

#include <algorithm>
#include <string_view>

#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// The word of a path that scopes name: what follows /v1/, or the first word.
inline std::string_view scope_word(std::string_view path) noexcept {
  if (path.starts_with("/v1/")) {
    path.remove_prefix(4);
  } else if (path.starts_with("/")) {
    path.remove_prefix(1);
  }
  return path.substr(0, path.find('/'));
}

inline bool allows_path(const Operator& who, std::string_view path) {
  const auto& paths = who.scope.paths;
  const std::string_view word = scope_word(path);
  // Who one is, and ending one's own session, are nobody else's business.
  return paths.empty() || word == "whoami" || word == "logout" ||
         std::find(paths.begin(), paths.end(), word) != paths.end();
}

inline bool allows_purpose(const Operator& who, std::string_view purpose) {
  const auto& purposes = who.scope.purposes;
  return purposes.empty() || std::find(purposes.begin(), purposes.end(), purpose) != purposes.end();
}

}  // namespace paravent::proxy::admin
