// Any bytes as an exported context table: what is accepted is complete.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/main/installation/context_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = proxy::main::parse_context_file(text);
  if (!file) {
    if (file.error().kind() != crypto::ErrorKind::malformed || !file.error().sentence().empty()) {
      std::abort();
    }
    return 0;
  }
  for (const auto& [key_id, context] : *file) {
    if (context.ctx.empty() || crypto::algorithm_name(context.algorithm) == "unknown") std::abort();
  }
  return 0;
}
