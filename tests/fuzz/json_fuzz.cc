// The laws of the JSON codec on any bytes; and what it accepts, Boost.JSON accepts too.

#include <boost/json.hpp>
#include <cstdlib>

#include "proxy/body/json.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace test = paravent::proxy::body::test;
  const std::string_view text = test::as_text(data, size);
  const test::Verdict verdict = test::check_json_laws(text, test::seed_of(text));
  if (!verdict.complaint.empty()) std::abort();
  if (!verdict.accepted) return 0;
  boost::system::error_code error;
  boost::json::parse(text, error);
  // Its numbers are bounded where the grammar's are not.
  if (error && error != boost::json::error::exponent_overflow) std::abort();
  return 0;
}
