// RuleContext: one rule with what stands around it, for the checks of rules. Borrows everything;
// made by check_rules for the time of one check. Internal to policies/model.

#pragma once

#include "policies/model/diagnostics.h"
#include "policies/model/policy.h"

namespace paravent::policies {

struct RuleContext {
  const Policy& policy;
  const Route& route;
  const Purpose* purpose;  // nullptr when the route names none that exists
  const Rule& rule;        // has an action
  Diagnostics& out;

  ActionKind action() const { return *rule.action; }
  bool has_carrier(Carrier carrier) const {
    return rule.has_selector && rule.selector.carrier == carrier;
  }
};

// Whether the gateway writes this header itself, address headers included. In lower case.
bool is_reserved_header(std::string_view name);

// What a result looks like: kind against shape, and its length.
void check_result(const RuleContext& c);
// The life and reach of the key: epoch, scope, overlap, sealing, and who can open the value.
// REQUIRES: is_keyed(c.action()).
void check_key(const RuleContext& c);
// What is allowed and unwise (lint.cc).
void lint_rule(const RuleContext& c);

}  // namespace paravent::policies
