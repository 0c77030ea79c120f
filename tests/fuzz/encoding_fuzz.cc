// What a decoder accepts has exactly one spelling: encoding it again gives the same text.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/base/encoding.h"

namespace crypto = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = crypto::as_text({data, size});
  if (const auto bytes = crypto::from_hex(text); bytes && crypto::to_hex(*bytes) != text)
    std::abort();
  if (const auto bytes = crypto::from_base64(text); bytes && crypto::to_base64(*bytes) != text)
    std::abort();
  if (const auto bytes = crypto::from_base64url(text)) {
    std::string again;
    crypto::append_base64url(again, *bytes);
    if (again != text) std::abort();
  }
  return 0;
}
