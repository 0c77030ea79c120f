// The laws of the JSON codec on any bytes; what it accepts, Boost.JSON accepts too; and a member
// that is looked for ahead of the scan is the one that Boost.JSON finds.

#include <boost/json.hpp>
#include <cstdlib>
#include <string>

#include "proxy/body/json.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace test = paravent::proxy::body::test;
  const std::string_view text = test::as_text(data, size);
  const auto ahead = paravent::proxy::body::find_string_member(text, "name");
  const test::Verdict verdict = test::check_json_laws(text, test::seed_of(text));
  if (!verdict.complaint.empty()) std::abort();
  if (!verdict.accepted) return 0;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  // Its numbers are bounded where the grammar's are not.
  if (error == boost::json::error::exponent_overflow) return 0;
  if (error) std::abort();
  const auto* object = text.starts_with('{') ? value.if_object() : nullptr;
  const auto* member = object != nullptr ? object->if_contains("name") : nullptr;
  if (ahead.has_value() != (member != nullptr && member->is_string())) std::abort();
  if (!ahead) return 0;
  std::string decoded;
  paravent::proxy::body::decode_json_value(*ahead, paravent::proxy::body::ValueKind::string,
                                           decoded);
  if (decoded != member->get_string()) std::abort();
  return 0;
}
