// Any bytes as the body of POST /v1/reidentify: what is accepted is within the limits, and a
// refusal never quotes the body.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/reidentify_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto read = parse_reidentify_request(body);
  if (!read) {
    // One of a closed set of sentences.
    if (read.error().sentence().empty() || read.error().sentence().size() > 80) std::abort();
    return 0;
  }
  if (read->purpose.empty() || read->reason.empty() || read->reason.size() > kMaxReasonBytes) {
    std::abort();
  }
  const std::size_t asked = read->tokens.size() + read->values.size();
  if (asked == 0 || asked > kMaxTokensPerRequest) std::abort();
  for (const AskedValue& value : read->values) {
    if (value.field.empty()) std::abort();
  }
  return 0;
}
