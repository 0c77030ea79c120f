// The decrypted list of honey tokens: whatever is accepted is written again in the same bytes.

#include <cstdint>
#include <cstdlib>

#include "proxy/admin/honey.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const crypto::ByteView bytes(data, size);
  const auto tokens = proxy::admin::decode_honey(bytes);
  if (!tokens) return 0;
  if (tokens->size() > proxy::admin::kMostHoneyTokens) std::abort();
  if (crypto::as_bytes(proxy::admin::encode_honey(*tokens)).size() != size) std::abort();
  if (proxy::admin::encode_honey(*tokens) != crypto::as_text(bytes)) std::abort();
  return 0;
}
