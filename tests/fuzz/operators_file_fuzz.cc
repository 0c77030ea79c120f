// Any bytes as the list of operators: what is accepted in the present version is spelled exactly
// so, and what is accepted in the versions before is kept whole.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/operators/operators_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto read = parse_operators(text);
  if (!read) return 0;
  const bool present = text.starts_with("paravent-operators-v3");
  if (present == (read->installation == paravent::crypto::vault::kNoId)) std::abort();
  if (!present) read->installation = {7};
  const std::string written = operators_text(*read);
  if (present && written != text) std::abort();
  const auto again = parse_operators(written);
  if (!again || *again != *read) std::abort();
  return 0;
}
