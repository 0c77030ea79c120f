// Any bytes as the list of issuers on record: one spelling for each list, and no crash.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/main/keepers/issuers_told.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::main;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto told = parse_issuers_told(text);
  if (told && (issuers_told_text(*told) != text || told->size() > kMostIssuersTold)) std::abort();
  return 0;
}
