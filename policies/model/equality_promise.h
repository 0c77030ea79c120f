// What a policy promises about equality, in one sentence for each field that gets a key: where
// equal values give equal results, for how long, and what can never be joined. `check` prints them,
// so that a data protection officer reads what was bought before anything is sent.
//
// Pure functions over a policy whose diagnostics hold no error.

#pragma once

#include <string>
#include <vector>

#include "policies/model/policy.h"

namespace paravent::policies {

struct Promise {
  std::string route;
  std::string field;  // as the policy spells it; "unlisted" and "client-address" too
  std::string text;   // one sentence without the field's name
};

// REQUIRES: the rule has a keyed action.
std::string equality_promise(const Policy& policy, const Route& route, const Rule& rule);

// Of every keyed rule, of `unlisted: encrypt` and of `client-address: pseudonym`, in the order of
// the file.
std::vector<Promise> equality_promises(const Policy& policy);

// "ROUTE FIELD: SENTENCE".
std::string promise_text(const Promise& promise);

}  // namespace paravent::policies
