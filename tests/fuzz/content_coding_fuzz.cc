// Content codings on any bytes: the first byte chooses the coding and the limit. What is accepted
// keeps the limits, and is the same when read again; what is refused leaves nothing.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "proxy/body/content_coding.h"
#include "tests/fuzz/law_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  if (size == 0) return 0;
  const auto coding = static_cast<body::ContentCoding>(1 + data[0] % 4);
  const std::size_t limit = (data[0] & 4U) != 0 ? std::size_t{100} : std::size_t{1} << 20U;
  const std::string_view packed = body::test::as_text(data + 1, size - 1);
  body::ContentDecoder decoder;
  std::string out;
  const body::ScanStatus status = decoder.decode(coding, packed, limit, out);
  if (status != body::ScanStatus::ok) {
    if (!out.empty()) std::abort();
    return 0;
  }
  const std::size_t most = std::max(body::kExpansionFree, packed.size() * body::kMaxExpansion);
  if (out.size() > std::min(limit, most)) std::abort();
  std::string again;
  if (decoder.decode(coding, packed, limit, again) != status || again != out) std::abort();
  return 0;
}
