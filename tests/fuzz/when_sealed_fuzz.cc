// Any bytes as the file of sealed contexts: what is accepted has one spelling.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/main/keepers/when_sealed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto contexts = proxy::main::parse_sealed_contexts(text);
  if (!contexts) {
    if (contexts.error().kind() != crypto::ErrorKind::malformed) std::abort();
    return 0;
  }
  if (proxy::main::sealed_contexts_text(*contexts) != text) std::abort();
  return 0;
}
