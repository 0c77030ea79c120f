// The body of POST /v1/unseal: whatever is accepted is one secret no longer than the body.

#include <cstdint>
#include <cstdlib>

#include "proxy/admin/seal_gate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paravent::crypto::ByteView bytes(data, size);
  const auto secret =
      paravent::proxy::admin::parse_unseal_request(paravent::crypto::as_text(bytes));
  if (secret && *secret && (**secret).size() > size) std::abort();
  return 0;
}
