// The laws of the JSON codec on any bytes; what it accepts, Boost.JSON accepts too; and the [k=v]
// that are looked for ahead of the scan are those that Boost.JSON finds.

#include <boost/json.hpp>
#include <cstdlib>

#include "proxy/body/json.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/filters_oracle.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace test = paravent::proxy::body::test;
  const std::string_view text = test::as_text(data, size);
  static paravent::proxy::body::ElementFilters filters;
  static paravent::proxy::body::JsonScanner scanner(7);
  test::FilterRecorder recorder(filters);
  scanner.scan(text, {}, recorder);
  const test::Verdict verdict = test::check_json_laws(text, test::seed_of(text));
  if (!verdict.complaint.empty()) std::abort();
  if (!verdict.accepted) return 0;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  // Its numbers are bounded where the grammar's are not.
  if (error == boost::json::error::exponent_overflow) return 0;
  if (error) std::abort();
  if (!test::FilterOracle(recorder.found).agrees(value)) std::abort();
  return 0;
}
