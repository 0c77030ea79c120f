// Files that are known kinds of vectors for algorithms this program does not have: skipped case by
// case, with the algorithm's name, so that a run over a whole folder says what it did not check.

#include <boost/json/array.hpp>
#include <string>

#include "crypto/vectors/acvp_pair.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

const boost::json::value& body_of(const boost::json::value& document) noexcept {
  const auto* body = acvp_body(document);
  return body == nullptr ? document : *body;
}

}  // namespace

bool is_wycheproof(const boost::json::value& document) {
  const auto* object = document.if_object();
  return object != nullptr && object->contains("testGroups") &&
         !string_member(document, "algorithm").empty();
}

bool is_wycheproof(const boost::json::value& document, std::string_view algorithm) {
  return is_wycheproof(document) && string_member(document, "algorithm") == algorithm;
}

bool is_unsupported(const boost::json::value& document) { return is_wycheproof(body_of(document)); }

void skip_unsupported(const boost::json::value& document, VectorReport& report) {
  const boost::json::value& body = body_of(document);
  const std::string reason =
      std::string(string_member(body, "algorithm")) + " is not part of this program";
  for (const auto& group : array_member(body, "testGroups")) {
    for (const auto& test : array_member(group, "tests")) {
      VectorCase fields(test);
      report.skip("tcId " + std::to_string(fields.number("tcId")), reason);
    }
  }
}

}  // namespace paravent::crypto
