#include "policies/plan/policy_conflict.h"

#include <algorithm>
#include <string>
#include <utility>

namespace paravent::policies {
namespace {

using crypto::Error;
using crypto::ErrorKind;

Error wrong(std::string sentence) { return Error(ErrorKind::configuration, std::move(sentence)); }

bool is_complete(const Route& route) {
  const bool rules_complete =
      std::all_of(route.rules.begin(), route.rules.end(),
                  [](const Rule& rule) { return rule.has_selector && rule.action.has_value(); });
  return rules_complete && !route.name.value.empty() && !route.match.paths.empty() &&
         !route.upstream.value.text.empty();
}

bool is_complete(const Policy& policy) {
  return !policy.tenant.value.empty() && !policy.routes.empty() &&
         std::all_of(policy.routes.begin(), policy.routes.end(),
                     [](const Route& route) { return is_complete(route); }) &&
         (!policy.elsewhere || !policy.elsewhere->upstream.value.text.empty());
}

}  // namespace

std::optional<Error> find_conflict(std::span<const Policy> policies) {
  if (policies.empty()) return wrong("No policy is loaded; name one under policies.");
  const Policy* elsewhere = nullptr;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const Policy& policy = policies[i];
    if (!is_complete(policy)) return wrong("A policy with errors cannot be used; run check on it.");
    if (policy.elsewhere) {
      if (elsewhere != nullptr) {
        return wrong("The policies of " + elsewhere->tenant.value + " and " + policy.tenant.value +
                     " both have elsewhere; keep one.");
      }
      elsewhere = &policy;
    }
    for (const Policy& earlier : policies.first(i)) {
      if (earlier.tenant.value == policy.tenant.value) {
        return wrong("Two policies are of the tenant " + policy.tenant.value +
                     "; one tenant has one file.");
      }
      for (const Route& mine : policy.routes) {
        for (const Route& theirs : earlier.routes) {
          if (!covers(theirs.match, mine.match)) continue;
          return wrong("The route " + theirs.name.value + " of " + earlier.tenant.value +
                       " takes everything that " + mine.name.value + " of " + policy.tenant.value +
                       " matches; tell them apart by host or path.");
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace paravent::policies
