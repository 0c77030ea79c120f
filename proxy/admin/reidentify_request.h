// The body of POST /v1/reidentify, read strictly: one spelling of JSON, no unknown and no repeated
// member.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxTokensPerRequest = 1000;
inline constexpr std::size_t kMaxReasonBytes = 1000;

struct ReidentifyRequest {
  std::string purpose;
  std::string reason;               // not empty: it goes on the record
  std::vector<std::string> tokens;  // 1 to 1000
};

// ErrorKind::malformed with a sentence that names the member at fault and never quotes the body.
crypto::Result<ReidentifyRequest> parse_reidentify_request(std::string_view body);

}  // namespace paravent::proxy::admin
