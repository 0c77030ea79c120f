// Policy tests: NAME.test.yaml, the cases that an agency keeps beside a policy.
//
//   policy: contact.yaml
//   cases:
//     - name: a submission is protected
//       request: requests/submission.http        # or the text itself, over several lines
//       expect:
//         route: contact-form
//         upstream:
//           form.email: { action: tokenise, not-contains: "alice@example.org" }
//           header.X-Real-IP: absent
//     - name: a password is refused
//       request: ...
//       expect: { refused: unlisted-field }
//
// `absent` says that the upstream gets no such field. Of a request that `elsewhere` passes only the
// header lines are known: whatever is expected of its other fields fails.
//
// Files are found from the folder of the test file. Plain data and pure functions; nothing prints.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "proxy/main/trial/explainer.h"

namespace paravent::proxy::main {

struct FieldExpectation {
  std::string path;  // "form.email", "header.X-Real-IP"
  policies::Position at;
  bool absent = false;
  std::string action;                     // empty: not checked
  std::vector<std::string> not_contains;  // must not occur in what the upstream gets for this field
  std::vector<std::string> contains;
};

struct PolicyTestCase {
  std::string name;
  policies::Position at;
  std::string request;  // the text
  std::string route;    // empty: not checked
  std::string refused;  // the reason; empty: must be forwarded
  std::vector<FieldExpectation> upstream;
};

struct PolicyTestFile {
  std::string policy;
  std::vector<PolicyTestCase> cases;
  policies::Diagnostics diagnostics;
};

PolicyTestFile load_policy_test(const std::string& path);

// What differs from the expectation; empty: passed. Values of the request are not repeated.
std::vector<std::string> failures_of(const PolicyTestCase& test, const Explanation& explanation);

}  // namespace paravent::proxy::main
