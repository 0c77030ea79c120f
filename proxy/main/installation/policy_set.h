// PolicySet: the policies that one gateway serves, loaded, checked and compiled together.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policies/model/policy.h"
#include "policies/plan/policy_plan.h"

namespace paravent::proxy::main {

struct PolicySource {
  std::string name;  // the file, or "preset contact-form"
  std::string text;  // its bytes: the audit log records their hash
};

struct PolicySet {
  std::vector<policies::Policy> policies;
  std::vector<PolicySource> sources;  // one per policy
  std::shared_ptr<const policies::PolicyPlan> plan;
};

// `remarks` receives the diagnostics that are not mere notes, a line each.
// ErrorKind::configuration: a file cannot be read, some policy has errors, or they do not go
// together.
crypto::Result<PolicySet> load_policies(const std::vector<std::string>& files,
                                        std::string& remarks);

// A built-in policy. ErrorKind::usage: no such preset, or an upstream or path that cannot be used.
crypto::Result<PolicySet> load_preset(const std::string& preset, const std::string& path,
                                      const std::string& upstream, std::string& remarks);

}  // namespace paravent::proxy::main
