// The laws of the streaming multipart codec on any bytes: the first line is the boundary, the rest
// is the body.

#include <cstdlib>
#include <string>

#include "proxy/body/media_type.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  namespace test = body::test;
  const std::string_view text = test::as_text(data, size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  // The codec asks for a boundary that this parser let through.
  const std::string type =
      "multipart/form-data; boundary=\"" + std::string(text.substr(0, line)) + "\"";
  const auto parsed = body::parse_content_type(type);
  if (!parsed) return 0;
  const test::Verdict verdict =
      test::check_multipart_stream(text.substr(line + 1), parsed->boundary, test::seed_of(text));
  if (!verdict.complaint.empty()) std::abort();
  return 0;
}
