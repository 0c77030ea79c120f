// A root key file that parses has exactly one spelling.

#include <cstdint>
#include <cstdlib>

#include "crypto/vault/engine/keys/root_key.h"

namespace crypto = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  const auto root = crypto::vault::RootKey::parse(crypto::as_text(bytes));
  if (!root) return 0;
  const crypto::SecretBytes text = root->file_text();
  if (!crypto::equal_constant_time(text.bytes(), bytes)) std::abort();
  return 0;
}
