// RevealGate: between the decision on each value and its record: whether one person alone may see
// so many, and whether the policy wants two.
//
// For one request; used by one thread. Holds the lock over all cases while the request runs under
// one. Nothing is opened here.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "policies/access/access_rules.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/grants/cases.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

struct Asked;

struct RevealQuestion {
  const Operator& who;
  std::string purpose;
  std::string reason;
  std::string grant;  // the case's id in hex; empty: none
};

class RevealGate {
 public:
  // All must outlive it.
  RevealGate(const policies::AccessRules& rules, BudgetLedger& ledger, const Operators& operators,
             crypto::audit::AuditLog& log, RevealQuestion question, crypto::WallTime now)
      : rules_(rules),
        ledger_(ledger),
        operators_(operators),
        log_(log),
        question_(std::move(question)),
        now_(now) {}

  // Takes back the grant of every value that needs another's approval. An answer: nothing of the
  // request may be opened, and that is on record.
  std::optional<AdminResponse> pass(std::span<Asked* const> asked);
  // What the entry of a reveal is marked with.
  void mark(crypto::audit::AuditEntry& entry) const;
  // To be called when the entries of the request are durable, and before anything is opened: under
  // a case what was revealed is counted, durably, and in its record. REQUIRES: a receipt for each
  // of what passed, in the same order.
  std::optional<AdminResponse> recorded(std::span<Asked* const> asked,
                                        std::span<const crypto::audit::AuditReceipt> receipts);
  // What was counted, for whoever puts it on record without recorded(): to be kept until then.
  UnderWay take_under_way() { return std::move(under_way_); }

  static AdminResponse no_record();

 private:
  std::optional<AdminResponse> find_case();
  bool needs_two(const Asked& asked) const;
  bool in_case(const Asked& asked) const;
  std::optional<AdminResponse> charge_case(std::span<Asked* const> asked);
  std::optional<AdminResponse> charge_budget(std::span<Asked* const> asked);
  std::optional<AdminResponse> refuse(std::uint16_t status, std::string_view reason,
                                      std::string_view detail, std::string_view object,
                                      std::string remark, std::span<Asked* const> asked);

  const policies::AccessRules& rules_;
  BudgetLedger& ledger_;
  const Operators& operators_;
  crypto::audit::AuditLog& log_;
  RevealQuestion question_;
  crypto::WallTime now_;
  UnderWay under_way_;
  std::optional<Cases::Use> use_;
  std::optional<Case> case_;  // as it will be once this request is counted
};

}  // namespace paravent::proxy::admin
