// No policy value in forwarded bytes: whatever surrounds it, a secret in a body or a query is
// refused or does not leave. The policy lists one field, tokenised, and refuses every other; the
// first byte chooses the carrier, the first byte 0x1A in the rest is where the secret goes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace {

using namespace paravent::proxy::testing;

constexpr std::string_view kSecret = "Zanzibar7";

std::string with_secret(std::string_view around) {
  const std::size_t at = around.find('\x1a');
  if (at == std::string_view::npos) return std::string(around);
  return std::string(around.substr(0, at)).append(kSecret).append(around.substr(at + 1));
}

// The parser's refusals are another target's business, and one of them would end this process.
bool fits_a_query(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?[]";
  return text.find_first_not_of(kPlain) == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pipeline pipeline(
      policy_text("      form.message: { kind: text, do: encrypt }\n"
                  "      json..message: { kind: text, do: encrypt }\n"
                  "      multipart.message: { kind: text, do: encrypt }\n"
                  "      query.message: { kind: text, do: encrypt }\n",
                  "    unlisted: refuse\n"));
  if (size == 0) return 0;
  const std::string text = with_secret({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (text.size() > 4096) return 0;
  std::string request;
  switch (data[0] % 4) {
    case 0:
      request = form_post(text);
      break;
    case 1:
      request = json_post(text);
      break;
    case 2:
      request = multipart_post(text);
      break;
    default:
      if (!fits_a_query(text)) return 0;
      request = request_text("POST /f?" + text, "");
      break;
  }
  const Outcome outcome = pipeline.run(request);
  if (!outcome.refused.empty()) return 0;
  if (outcome.body.find(kSecret) != std::string::npos) std::abort();
  if (outcome.request_line().find(kSecret) != std::string::npos) std::abort();
  return 0;
}
