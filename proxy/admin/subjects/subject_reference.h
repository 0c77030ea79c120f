// A reference to a person as the admin API writes it: 64 hexadecimal digits, in lower case.

#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

// nullopt: the text is none.
inline std::optional<crypto::vault::SubjectReference> reference_from_hex(std::string_view text) {
  const auto bytes = crypto::from_hex(text);
  crypto::vault::SubjectReference reference{};
  if (!bytes || bytes->size() != reference.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), reference.begin());
  return reference;
}

}  // namespace paravent::proxy::admin
