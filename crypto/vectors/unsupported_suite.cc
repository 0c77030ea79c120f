// Files that are known kinds of vectors for algorithms this program does not have: skipped case by
// case, with the algorithm's name, so that a run over a whole folder says what it did not check.

#include <boost/json/array.hpp>
#include <string>

#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

// The member that names the algorithm in a list of cases; empty when the list is of another kind.
std::string_view list_marker(const boost::json::value& document) {
  const auto* list = document.if_array();
  if (list == nullptr || list->empty() || list->front().if_object() == nullptr) return {};
  const auto& first = list->front().get_object();
  if (first.if_contains("variant") != nullptr && first.if_contains("encrypted_ip") != nullptr) {
    return "variant";  // ipcrypt
  }
  if (first.if_contains("kem_id") != nullptr && first.if_contains("encryptions") != nullptr) {
    return "kem_id";  // HPKE
  }
  if (first.if_contains("acvVersion") != nullptr) return "acvVersion";  // NIST ACVP
  return {};
}

std::string reason_for(std::string_view algorithm) {
  return std::string(algorithm) + " is not part of this program";
}

void skip_groups(const boost::json::value& document, VectorReport& report) {
  const std::string reason = reason_for(string_member(document, "algorithm"));
  for (const auto& group : array_member(document, "testGroups")) {
    for (const auto& test : array_member(group, "tests")) {
      VectorCase fields(test);
      report.skip("tcId " + std::to_string(fields.number("tcId")), reason);
    }
  }
}

}  // namespace

bool is_unsupported(const boost::json::value& document) {
  if (!list_marker(document).empty()) return true;
  return !string_member(document, "algorithm").empty() &&
         document.as_object().if_contains("testGroups") != nullptr;
}

void skip_unsupported(const boost::json::value& document, VectorReport& report) {
  const std::string_view marker = list_marker(document);
  if (marker.empty()) return skip_groups(document, report);
  std::size_t number = 0;
  for (const auto& entry : document.get_array()) {
    const std::string id = "case " + std::to_string(++number);
    if (marker == "variant") {
      report.skip(id, reason_for(string_member(entry, "variant")));
    } else if (marker == "kem_id") {
      report.skip(id, reason_for("HPKE"));
    } else if (!string_member(entry, "algorithm").empty()) {
      report.skip(id, reason_for(string_member(entry, "algorithm")));
    }
  }
}

}  // namespace paravent::crypto
