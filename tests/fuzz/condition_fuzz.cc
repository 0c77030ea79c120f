// Conditions on any bytes of a form: whatever the order of the fields, the outcome is the same; and
// a field that only passes under a condition never passes where the sender did not say so.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace {

using namespace paravent::proxy::testing;

std::vector<std::string> pairs_of(std::string_view form) {
  std::vector<std::string> pairs;
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    if (end > 0) pairs.emplace_back(form.substr(0, end));
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return pairs;
}

std::string joined(const std::vector<std::string>& pairs) {
  std::string form;
  for (const std::string& pair : pairs) form += (form.empty() ? "" : "&") + pair;
  return form;
}

std::vector<std::string> sorted_pairs(std::string_view form) {
  std::vector<std::string> pairs = pairs_of(form);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pipeline pipeline(
      policy_text("      form.mail: { do: keep, when: { form.ok: ['on', '1'] }, else: drop }\n",
                  "    php-names: on\n    unlisted: keep\n"));
  if (size > 4096) return 0;
  std::vector<std::string> pairs = pairs_of({reinterpret_cast<const char*>(data), size});
  pairs.insert(pairs.begin(), "mail=Zanzibar7");
  const Outcome forwards = pipeline.run(form_post(joined(pairs)));
  std::reverse(pairs.begin(), pairs.end());
  const Outcome backwards = pipeline.run(form_post(joined(pairs)));
  if (forwards.refused.empty() != backwards.refused.empty()) std::abort();
  if (!forwards.refused.empty()) return 0;
  if (sorted_pairs(forwards.body) != sorted_pairs(backwards.body)) std::abort();
  const bool passed = forwards.body.find("mail=Zanzibar7") != std::string::npos;
  const bool said = std::any_of(pairs.begin(), pairs.end(), [](const std::string& pair) {
    return pair.find('=') != std::string::npos && pair.substr(0, pair.find('=')) != "mail";
  });
  if (passed && !said) std::abort();
  return 0;
}
