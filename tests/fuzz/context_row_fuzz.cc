// A stored context row that decodes has exactly one spelling.

#include <cstdint>
#include <cstdlib>

#include "crypto/keys/context_row.h"

namespace crypto = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  const auto row = crypto::decode_context_row(bytes);
  if (!row) return 0;
  if (crypto::encode_context_row(*row) != crypto::as_text(bytes)) std::abort();
  if (crypto::context_string(*row).size() < 21) std::abort();
  return 0;
}
