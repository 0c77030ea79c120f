// Any bytes as a boundary and a text: the first byte says how long the boundary is. It is found at
// the same places as by a look at every byte.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/body/boundary_finder.h"
#include "tests/fuzz/law_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  const std::string_view input = body::test::as_text(data, size);
  // "--" and the longest boundary of RFC 2046.
  const std::size_t length = input.empty() ? 0 : 3 + data[0] % 70;
  if (input.size() < 1 + length || length == 0) return 0;
  const std::string_view boundary = input.substr(1, length);
  // Copies of its own, so that a byte read too far is outside of them.
  const std::string text(input.substr(1 + length));
  const body::BoundaryFinder finder(boundary);
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t found = finder.find(text, from);
    if (found != text.find(boundary, from)) std::abort();
    if (found == std::string::npos) break;
    from = found + 1;
  }
  return 0;
}
