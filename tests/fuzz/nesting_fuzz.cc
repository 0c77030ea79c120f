// The two laws for fields inside of fields, on any bytes: where nothing inside is replaced the body
// goes on as it came; and what was put together again reads as what was meant, so that doing the
// same once more changes nothing. The first byte chooses the wrappings, the rest is the value of
// the opened field, as it stands in a form, in JSON or in a part.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace {

using namespace paravent::proxy::testing;

constexpr std::array<std::string_view, 10> kForms = {"json",
                                                     "query",
                                                     "url",
                                                     "[base64, json]",
                                                     "[base64url, json]",
                                                     "[percent, json]",
                                                     "[percent, query]",
                                                     "[base64, gzip, json]",
                                                     "[base64url, percent, url]",
                                                     "[gzip, json]"};

bool is_json(std::size_t form) { return kForms[form].find("json") != std::string_view::npos; }

// Every field twice deep, in three carriers.
std::string policy(const std::string& action) {
  std::string rules;
  for (const std::string carrier : {"form", "json", "multipart"}) {
    for (std::size_t i = 0; i < kForms.size(); ++i) {
      const std::string field = carrier + ".f" + std::to_string(i);
      const std::string inside = is_json(i) ? "json" : "query";
      rules += "      " + field + ": { do: open, as: " + std::string(kForms[i]) + " }\n";
      rules += "      " + field + " > " + inside + ".m: { " + action + " }\n";
      rules += "      " + field + " > " + inside + ".q: { do: open, as: query }\n";
      rules += "      " + field + " > " + inside + ".q > query.m: { " + action + " }\n";
    }
  }
  return policy_text(rules, "    unlisted: keep\n");
}

Outcome run(Pipeline& pipeline, unsigned carrier, const std::string& body) {
  switch (carrier) {
    case 0:
      return pipeline.run(form_post(body));
    case 1:
      return pipeline.run(json_post(body));
    default:
      return pipeline.run(multipart_post(body));
  }
}

std::string form_value(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return out;
}

std::string json_value(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pipeline keep(policy("do: keep"));
  static Pipeline replace(policy("do: replace, with: m"));
  static Pipeline drop(policy("do: drop"));
  if (size == 0 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned carrier = static_cast<unsigned>(data[0] / kForms.size() % 3);
  const std::string name = "f" + std::to_string(data[0] % kForms.size());
  const std::string body = carrier == 0 ? name + "=" + form_value(text) + "&x=%7e"
                           : carrier == 1
                               ? "{ \"" + name + "\" : " + json_value(text) + ",\"x\":1.0}"
                               : part(name, std::string(text)) + std::string(kMultipartEnd);
  const Outcome kept = run(keep, carrier, body);
  if (kept.refused.empty() && kept.body != body) std::abort();
  for (Pipeline* pipeline : {&replace, &drop}) {
    const Outcome once = run(*pipeline, carrier, body);
    if (!once.refused.empty()) continue;
    const Outcome twice = run(*pipeline, carrier, once.body);
    if (!twice.refused.empty() || twice.body != once.body) std::abort();
  }
  return 0;
}
