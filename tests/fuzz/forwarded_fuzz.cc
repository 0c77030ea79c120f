// No policy value in forwarded bytes: whatever surrounds it, a secret in a body, a query or a
// header is refused or does not leave, and what leaves is one request again, of the length that it
// says. The policy lists one field, encrypted, and refuses or drops every other; the first byte
// chooses carrier and policy, the first byte 0x1A in the rest is where the secret goes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/http1/request_parser.h"
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

bool fits_a_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0\x7f", 4)) == std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' '; });
}

void must(bool holds) {
  if (!holds) std::abort();
}

// What the next reader sees: one request, its body as long as its head says.
void check_is_one_request(const Outcome& outcome) {
  std::string head = outcome.head;
  std::vector<paravent::proxy::HeaderLine> lines(200);
  paravent::proxy::http1::RequestParser parser;
  parser.begin(lines, 64 * 1024, 32 * 1024);
  must(parser.parse({head.data(), head.size()}) == paravent::proxy::http1::ParseStatus::done);
  must(parser.size() == head.size());
  must(parser.head().framing != paravent::proxy::BodyFraming::chunked);
  must(parser.head().content_length == outcome.body.size());
}

constexpr const char* kRules =
    "      form.message: { kind: text, do: encrypt }\n"
    "      json.message: { kind: text, do: encrypt }\n"
    "      json.a.message: { kind: text, do: encrypt }\n"
    "      json.b[*].message: { kind: text, do: encrypt }\n"
    "      multipart.message: { kind: text, do: encrypt }\n"
    "      query.message: { kind: text, do: encrypt }\n"
    "      header.X-Message: { kind: text, do: encrypt }\n"
    "      csv.message: { kind: text, do: encrypt }\n"
    "      xml.a/message: { kind: text, do: encrypt }\n"
    "      cookie.message: { kind: text, do: encrypt }\n";

// Empty: the rest of the input fits nowhere there.
std::string request_of(unsigned carrier, const std::string& text) {
  switch (carrier) {
    case 0:
      return form_post(text);
    case 1:
      return json_post(text);
    case 2:
      return multipart_post(text);
    case 3:
      return fits_a_query(text) ? request_text("POST /f?" + text, "") : std::string();
    case 4:
      return fits_a_header(text) ? request_text("POST /f", "X-Message: " + text + "\r\n")
                                 : std::string();
    case 5:
      return request_text("POST /f", "Content-Type: text/csv\r\n", text);
    case 6:
      return request_text("POST /f", "Content-Type: application/xml\r\n", text);
    default:
      return fits_a_header(text) ? request_text("POST /f", "Cookie: " + text + "\r\n")
                                 : std::string();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pipeline refusing(policy_text(kRules, "    unlisted: { body: refuse, cookie: refuse }\n"));
  static Pipeline dropping(policy_text(kRules, "    unlisted: { body: drop, cookie: drop }\n"));
  if (size == 0) return 0;
  const std::string text = with_secret({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (text.size() > 4096) return 0;
  const unsigned carrier = (data[0] & 0x7fU) % 8U;
  const std::string request = request_of(carrier, text);
  if (request.empty()) return 0;
  const bool drops = (data[0] & 0x80U) != 0 && (carrier < 4 || carrier == 7);
  Pipeline& pipeline = drops ? dropping : refusing;
  const Outcome outcome = pipeline.run(request);
  if (!outcome.refused.empty()) return 0;
  must(outcome.body.find(kSecret) == std::string::npos);
  must(outcome.head.find(kSecret) == std::string::npos);
  check_is_one_request(outcome);
  return 0;
}
