// The Authorization header of the admin API (RFC 6750 2.1): exactly `Bearer CREDENTIAL`.

#pragma once

#include <optional>
#include <string_view>

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxCredentialBytes = 256;

// The credential, or nullopt where the header has another form.
inline std::optional<std::string_view> bearer_credential(std::string_view header) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!header.starts_with(kScheme)) return std::nullopt;
  header.remove_prefix(kScheme.size());
  if (header.empty() || header.size() > kMaxCredentialBytes ||
      header.find_first_of(" \t") != std::string_view::npos) {
    return std::nullopt;
  }
  return header;
}

}  // namespace paravent::proxy::admin
