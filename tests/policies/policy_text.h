// The text of policies for tests: one tenant, one recipient and one purpose. What a test is about
// are its routes.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "policies/model/load_policy.h"

namespace paravent::policies::testing {

// `routes`: of route_of(), and behind them what else stands at the top of a policy.
inline std::string policy_of(const std::string& routes) {
  return R"(policy: 1
tenant: atelier
recipients: { crm: { name: CRM, country: FR } }
purposes: { contact: { basis: contract, retention: { active: P3Y } } }
routes:
)" + routes;
}

// `rest`: lines with an indent of four; the first may be empty.
inline std::string route_of(const std::string& name, const std::string& match,
                            const std::string& rest) {
  return "  - name: " + name + "\n    match: " + match +
         "\n    upstream: http://127.0.0.1:9000\n    recipient: crm\n    purpose: contact\n" + rest;
}

// Of a policy without a fault.
inline Policy loaded_policy(const std::string& text) {
  LoadedPolicy loaded = load_policy_text("test.yaml", text);
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  return std::move(loaded.policy);
}

}  // namespace paravent::policies::testing
