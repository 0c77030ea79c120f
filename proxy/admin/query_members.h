// QueryMembers: the query of an admin request, as name=value pairs. Strict: only known names, each
// at most once, at most 1000 bytes decoded; pure functions.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

class QueryMembers {
 public:
  // ErrorKind::malformed with a sentence that lists what is known.
  static crypto::Result<QueryMembers> read(std::string_view query,
                                           std::span<const std::string_view> known);

  // Empty where it was not given.
  const std::string& text(std::string_view name) const;
  bool has(std::string_view name) const { return members_.contains(name); }
  // Decimal without leading zeros. ErrorKind::malformed: not a number. `otherwise` where it was not
  // given.
  crypto::Result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise) const;

 private:
  std::map<std::string, std::string, std::less<>> members_;
};

}  // namespace paravent::proxy::admin
