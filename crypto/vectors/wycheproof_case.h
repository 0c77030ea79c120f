// The common shape of Wycheproof's files, and one loop over the cases of all their groups.

#pragma once

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/vectors/vector_case.h"
#include "crypto/vectors/vector_report.h"

namespace paravent::crypto {

// What Wycheproof says of a case: `acceptable` may be either, so only a crash would be wrong.
struct WycheproofCase {
  std::string id;
  VectorCase group;
  VectorCase fields;
  bool valid;
  bool acceptable;

  bool complete() const { return group.complete() && fields.complete(); }
};

// Calls run(WycheproofCase&) for each case; one without an id or a known result is a failure.
template <typename Run>
void for_each_case(const boost::json::value& document, VectorReport& report, Run run) {
  for (const auto& group : array_member(document, "testGroups")) {
    for (const auto& test : array_member(group, "tests")) {
      VectorCase fields(test);
      const std::string id = "tcId " + std::to_string(fields.number("tcId"));
      const std::string result = fields.text("result");
      const bool known = result == "valid" || result == "invalid" || result == "acceptable";
      if (!fields.complete() || !known) {
        report.check(id, false, kIncompleteCase);
        continue;
      }
      WycheproofCase c{id, VectorCase(group), fields, result == "valid", result == "acceptable"};
      run(c);
    }
  }
}

inline bool equal(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// The seal direction is exact only for valid cases; the open direction must refuse the invalid
// ones.
inline void check_aead(const WycheproofCase& c, VectorReport& report, bool sealed_right,
                       bool opened_right) {
  if (c.valid) {
    report.check(c.id, sealed_right && opened_right,
                 !sealed_right ? "sealing gave other bytes" : "a valid case did not open");
  } else {
    report.check(c.id, c.acceptable || !opened_right, "an invalid case was opened");
  }
}

// A tag or a derived key that is compared as a whole.
inline void check_output(const WycheproofCase& c, VectorReport& report, bool right) {
  report.check(c.id, c.acceptable || right == c.valid,
               c.valid ? "the output differs" : "an invalid case was accepted");
}

}  // namespace paravent::crypto
