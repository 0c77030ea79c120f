// The strings of BIP-350: those that must decode and those that must not.

#include <boost/json/array.hpp>
#include <string>

#include "crypto/tokens/bech32m.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

void run_list(const boost::json::value& document, std::string_view name, bool valid,
              VectorReport& report) {
  std::size_t number = 0;
  for (const auto& entry : array_member(document, name)) {
    const std::string id = std::string(name) + " " + std::to_string(++number);
    if (!entry.is_string()) {
      report.check(id, false, kIncompleteCase);
      continue;
    }
    report.check(id, decode_bech32m(std::string_view(entry.get_string())).has_value() == valid,
                 valid ? "a valid string is refused" : "an invalid string is accepted");
  }
}

}  // namespace

bool is_bech32m(const boost::json::value& document) {
  return string_member(document, "source").find("BIP-350") != std::string_view::npos;
}

void run_bech32m(const boost::json::value& document, VectorReport& report) {
  run_list(document, "valid", true, report);
  run_list(document, "invalid", false, report);
}

}  // namespace paravent::crypto
