// The laws of bodies that are several documents, on any bytes: JSON lines, envelopes, form lines.

#include <cstdlib>

#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  namespace test = body::test;
  const std::string_view text = test::as_text(data, size);
  const std::uint64_t seed = test::seed_of(text);
  for (const auto form : {body::LineForm::each, body::LineForm::envelope}) {
    if (!test::check_json_line_laws(text, form, seed).complaint.empty()) std::abort();
  }
  if (!test::check_form_line_laws(text, seed).complaint.empty()) std::abort();
  return 0;
}
