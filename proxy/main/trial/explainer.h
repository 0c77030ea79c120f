// Explainer: what a policy would do to one request, by the very code that does it in production,
// with ephemeral keys, no store and no upstream. `explain` prints it, `test` checks it.
//
// Owns its plan, keys and an in-memory vault. One thread.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/api/messages.h"
#include "policies/model/policy.h"
#include "policies/plan/route_plan.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {

struct ExplainedField {
  std::string path;    // "form.email"
  std::string rule;    // the policy's name of the rule, or "unlisted"
  std::string action;  // "tokenise", "keep", ...
  std::string before;
  std::optional<std::string> after;  // nullopt: it was removed, or the request is refused
};

struct Explanation {
  std::string route;    // empty: none took the request
  std::string outcome;  // "forwarded", "passed" or "refused"
  std::string reason;   // refused: the label
  std::string field;    // refused: the name, where one is to blame
  std::vector<ExplainedField> fields;
  std::vector<std::string> unlisted;
  std::string upstream_head;  // what the upstream would receive
  std::string upstream_body;
};

class Explainer {
 public:
  static crypto::Result<std::unique_ptr<Explainer>> create(const policies::Policy& policy);
  // The same over the keys and the vault that requests are served with now: what it makes is real.
  // `vault` must outlive it.
  static crypto::Result<std::unique_ptr<Explainer>> over(std::shared_ptr<const Snapshot> snapshot,
                                                         crypto::vault::TokenVault& vault);
  ~Explainer();
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  // `request`: a request head (LF accepted), an empty line, the body. The framing headers are
  // recomputed from the bytes that are there; one line break at the end of the file is not taken
  // for a part of the body unless Content-Length counts it.
  Explanation explain(std::string_view request);
  // As if this route had taken the request, whatever its path. REQUIRES: of the snapshot's plan.
  Explanation explain_as(const policies::RoutePlan& route, std::string_view request);

 private:
  struct State;
  explicit Explainer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace paravent::proxy::main
