// ProtectDesk: protects values as a route's rules say, for POST /v1/protect. Implemented by the
// composition root, because the rules are the data path's, which this room does not know.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

struct ProtectedField {
  std::string field;
  std::string action;                // as the policy spells it
  std::optional<std::string> value;  // nullopt: the field is taken out
};

class ProtectDesk {
 public:
  // The purpose of a route of this tenant; nullopt: it has no such route.
  virtual std::optional<std::string> purpose_of(const crypto::vault::Id& tenant,
                                                std::string_view route) const = 0;

  // One answer for each value, in order. Thread safe; waits for the store. ErrorKind::refused with
  // the reason and the field that the data path would refuse the request for, "missing-field
  // form.email"; usage with a sentence: not a field that can be written into a request here;
  // sealed, unreachable: no keys, no store.
  using Values = std::span<const std::pair<std::string, std::string>>;
  virtual crypto::Result<std::vector<ProtectedField>> protect(const crypto::vault::Id& tenant,
                                                              std::string_view route,
                                                              Values values) = 0;

 protected:
  ~ProtectDesk() = default;
};

}  // namespace paravent::proxy::admin
