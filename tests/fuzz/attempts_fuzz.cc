// Any bytes as the list of failed attempts: one spelling for each list, and no crash.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/operators/failed_attempts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = parse_attempts(text);
  if (list && (attempts_text(*list) != text || list->names.size() > kMostFailedNames)) {
    std::abort();
  }
  return 0;
}
