#include "crypto/vault/engine/live_token.h"

#include <array>

namespace paravent::crypto::vault {
namespace {

std::array<std::uint8_t, 2> length_prefix(std::size_t size) noexcept {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
}

}  // namespace

IndexKey index_value(const LiveToken& token, const ScopeId& scope_id, std::string_view value) {
  const auto size = length_prefix(value.size());
  if (token.scope == Scope::person) return token.index.mac(size, as_bytes(value));
  const auto scope_size = length_prefix(scope_id.size());
  return token.index.mac({scope_size, scope_id, size, as_bytes(value)});
}

}  // namespace paravent::crypto::vault
