// A share that parses has one spelling in each case.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/vault/unseal/share_text.h"

namespace crypto = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  const auto parsed = crypto::vault::parse_share(crypto::as_text(bytes));
  if (!parsed) return 0;
  const auto text = crypto::vault::share_text(parsed->set, parsed->threshold, parsed->share);
  std::string lower(crypto::as_text(bytes));
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower != crypto::as_text(text.bytes())) std::abort();
  return 0;
}
