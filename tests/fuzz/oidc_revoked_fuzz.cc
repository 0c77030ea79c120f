// Any bytes as the list of revoked subjects: one spelling for each list, and no crash.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/oidc/revocations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto revoked = parse_revocations(text);
  if (revoked && (revocations_text(*revoked) != text || revoked->size() > kMostRevocations)) {
    std::abort();
  }
  return 0;
}
