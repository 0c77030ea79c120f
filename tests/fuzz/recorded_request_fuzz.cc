// Any bytes as a recorded request: reading what was read gives the same again, so that its framing
// fits.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/main/trial/recorded_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::main;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const RecordedRequest first = read_recorded_request(text);
  if (!first.head.ends_with("\r\n")) std::abort();
  // Without a request line the framing header would be taken for one.
  if (text.empty() || text.starts_with('\n') || text.starts_with("\r\n")) return 0;
  const RecordedRequest again = read_recorded_request(first.head + first.body);
  if (again.head != first.head || again.body != first.body) std::abort();
  return 0;
}
