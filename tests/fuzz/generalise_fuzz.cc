// Every generalisation and truncation on any bytes: the laws of broken_law() hold.

#include <cstdint>
#include <cstdlib>

#include "tests/proxy/pipeline/generalise/every_function.h"

namespace pt = paravent::proxy::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  for (const pt::Function& function : pt::every_function()) {
    if (!pt::broken_law(function, value).empty()) std::abort();
  }
  return 0;
}
