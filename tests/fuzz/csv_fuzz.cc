// The laws of the CSV codec on any bytes.

#include <cstdlib>

#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace test = paravent::proxy::body::test;
  const std::string_view text = test::as_text(data, size);
  if (!test::check_csv_laws(text, test::seed_of(text)).complaint.empty()) std::abort();
  return 0;
}
