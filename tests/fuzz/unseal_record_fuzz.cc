// An unseal record that parses has exactly one spelling, and is within its bounds.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crypto/vault/unseal/unseal_record.h"

namespace vault = paravent::crypto::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const paravent::crypto::ByteView bytes(data, size);
  const auto record = vault::parse_unseal_record(bytes);
  if (!record) return 0;
  if (!std::ranges::equal(vault::encode_unseal_record(*record), bytes)) std::abort();
  if (const auto* body = std::get_if<vault::PassphraseRecord>(&record->body)) {
    if (body->passes < 3 || body->passes > 16 || body->memory_kib < 65536) std::abort();
  }
  return 0;
}
