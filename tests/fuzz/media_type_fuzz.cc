// Content-Type on any bytes. A codec without a splice, so its law is another one: what was accepted
// means the same in capitals, and with one more parameter that nobody knows; but for the types with
// a boundary, which have no such parameter.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "proxy/body/media_type.h"
#include "tests/fuzz/law_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  const std::string_view text = body::test::as_text(data, size);
  const auto parsed = body::parse_content_type(text);
  if (!parsed) return 0;
  const bool bounded =
      parsed->type == body::MediaType::multipart || parsed->type == body::MediaType::mixed;
  if (bounded == parsed->boundary.empty()) std::abort();
  if (parsed->boundary.size() > 70 || parsed->type == body::MediaType::none) std::abort();

  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
  }
  const auto loud = body::parse_content_type(capitals);
  if (!loud || loud->type != parsed->type || loud->utf8 != parsed->utf8) std::abort();

  // Room for one more parameter, and none of that name yet.
  const bool room = std::count(text.begin(), text.end(), ';') < 15;
  if (room && capitals.find("ZZ=") == std::string::npos) {
    const std::string longer = std::string(text) + "; zz=\"a;b\"";
    const auto again = body::parse_content_type(longer);
    if (bounded ? again.has_value() : !again || again->type != parsed->type) std::abort();
  }
  return 0;
}
