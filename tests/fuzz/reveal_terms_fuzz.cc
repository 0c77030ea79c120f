// Any bytes as the memory of what a policy gave: what is accepted is spelled exactly so, and gives
// no more than itself.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policies/access/reveal_terms.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::policies;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = parse_terms(text);
  if (!read) return 0;
  if (terms_text(*read) != text || !widened(*read, *read).empty()) std::abort();
  return 0;
}
