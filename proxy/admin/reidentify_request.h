// The body of POST /v1/reidentify, read strictly: one spelling of JSON, no unknown and no repeated
// member.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxTokensPerRequest = 10'000;
inline constexpr std::size_t kMaxReasonBytes = 1000;

// A surrogate whose text names no key: the policy has to say whose it is.
struct AskedValue {
  std::string value;
  std::string field;  // as the policy spells it
  std::string route;  // empty: whichever has the field
  std::string as_of;  // a day of its epoch, YYYY-MM-DD in UTC; empty: today
};

// Together 1 to 10 000 tokens and values.
struct ReidentifyRequest {
  std::string purpose;
  std::string reason;  // not empty: it goes on the record
  std::string grant;   // an approved case, where the policy asks for one; empty: none
  std::vector<std::string> tokens;
  std::vector<AskedValue> values;
};

// ErrorKind::malformed with a sentence that names the member at fault and never quotes the body.
crypto::Result<ReidentifyRequest> parse_reidentify_request(std::string_view body);

}  // namespace paravent::proxy::admin
