// Scope: within what a surrogate stays the same for one value (EDPB guidelines 01/2025 on
// pseudonymisation: person, relationship and transaction pseudonyms).

#pragma once

#include <array>
#include <cstdint>

namespace paravent::crypto {

enum class Scope : std::uint8_t {
  person,        // wherever the space is the same
  relationship,  // only together with the same value of another field, which the policy names
  request,       // only within one request
};

// Which relationship or request: 16 bytes, all zero for person scope.
using ScopeId = std::array<std::uint8_t, 16>;

}  // namespace paravent::crypto
