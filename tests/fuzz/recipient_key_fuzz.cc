// Recipients' keys on any bytes: no crash, and what is accepted has one spelling.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/tokens/recipient_key.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string written;
  if (const auto key = pc::parse_public_key(text)) {
    pc::append_public_key(*key, written);
    if (written != text) std::abort();
  }
  written.clear();
  if (const auto key = pc::parse_private_key(text)) {
    pc::append_private_key(key->bytes(), written);
    if (written != text) std::abort();
  }
  return 0;
}
