// Wrappings on any bytes: what can be taken off gives the same bytes when put on again (percent:
// the same text when taken off once more), and nothing is left of what cannot.

#include <cstdlib>
#include <string>

#include "proxy/body/content_coding.h"
#include "proxy/body/wrapping.h"
#include "tests/fuzz/law_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  const std::string_view text = body::test::as_text(data, size);
  for (const auto alphabet : {body::Base64Alphabet::standard, body::Base64Alphabet::url}) {
    std::string bytes;
    bool padded = false;
    if (!body::unwrap_base64(text, alphabet, padded, bytes)) {
      if (!bytes.empty()) std::abort();
      continue;
    }
    std::string again;
    body::wrap_base64(bytes, alphabet, padded, again);
    if (again != text) std::abort();
  }
  std::string packed;
  std::string unpacked;
  body::wrap_gzip(text, packed);
  if (size <= body::kExpansionFree &&
      (body::unwrap_gzip(packed, unpacked) != body::ScanStatus::ok || unpacked != text)) {
    std::abort();
  }
  const bool known = body::unwrap_gzip(text, unpacked) == body::ScanStatus::ok;
  if (!known && !unpacked.empty()) std::abort();
  std::string plain;
  if (!body::unwrap_percent(text, plain)) {
    if (!plain.empty()) std::abort();
    return 0;
  }
  std::string wrapped;
  std::string again;
  body::wrap_percent(plain, wrapped);
  if (!body::unwrap_percent(wrapped, again) || again != plain) std::abort();
  return 0;
}
