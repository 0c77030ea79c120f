// BudgetLedger: what each operator, and each role together, has been given in the last 24 hours,
// and who has to cool off.
//
// Kept nowhere but in the audit log, which is durable before anything is given out: of each tenant
// the last 24 hours are read back at its first question after a start. So a restart gives nobody a
// new budget, and the ledger cannot be altered by itself. Time never goes back in it: what the log
// dates into the future counts as now. Thread safe; the first question of a tenant blocks on the
// disk. Counts stay where a later step fails: better one value too few than one too many.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "policies/model/access_terms.h"

namespace paravent::proxy::admin {

enum class Counted : std::uint8_t { reveal, protect };

// Whose budget a question goes to.
struct Account {
  crypto::vault::Id tenant{};
  std::string operator_name;
  std::string role;
};

// A person, or a value that belongs to nobody who is known.
using SubjectKey = crypto::audit::Hash;

// What a question would exceed.
struct Overrun {
  std::string_view limit;       // "subjects-per-day"; "cooling-off" while that lasts
  bool together = false;        // of the whole role
  bool alarm = false;           // it is exceeded only now, and the cooling-off begins
  crypto::WallTime until;       // when to ask again
  std::uint32_t cooling_off{};  // minutes
};

class BudgetLedger {
 public:
  // Counts `subjects`, one entry a value, unless that exceeds one of the budgets: then nothing is
  // counted, and the answer says which. An error: the log cannot be read back.
  crypto::Result<std::optional<Overrun>> charge(crypto::audit::AuditLog& log,
                                                const Account& account, Counted what,
                                                const policies::Budget& own,
                                                const policies::Budget& together,
                                                const std::vector<SubjectKey>& subjects,
                                                crypto::WallTime now);

  // How many different subjects the operator would have seen within 24 hours after this question.
  crypto::Result<std::size_t> subjects_with(crypto::audit::AuditLog& log, const Account& account,
                                            const std::vector<SubjectKey>& subjects,
                                            crypto::WallTime now);

  // `now`, or the latest that the tenant's log speaks of.
  crypto::Result<crypto::WallTime> present(crypto::audit::AuditLog& log,
                                           const crypto::vault::Id& tenant, crypto::WallTime now);

  // To be called when a policy counts what the one before did not.
  void read_again();

  // How often a budget was exceeded since the start, by role and limit, for metrics.
  std::map<std::pair<std::string, std::string>, std::uint64_t> alarms() const;

  // The remark of the entry that puts an alarm on record, from which a cooling-off is read back.
  static std::string alarm_remark(Counted what, const Overrun& overrun);
  static constexpr std::string_view kAlarmObject = "budget";
  // Object of what was revealed under an approved case, which has a quota of its own.
  static constexpr std::string_view kCasePrefix = "case ";

 private:
  struct Counts {
    std::map<std::int64_t, std::uint64_t> values;     // by minute since 1970
    std::map<SubjectKey, crypto::WallTime> subjects;  // when last
    crypto::WallTime cooling_until;
  };
  using Key = std::pair<Counted, std::string>;  // "o" and the operator's name, "r" and the role
  struct Tenant {
    std::map<Key, Counts> counts;
    crypto::WallTime latest;
  };

  crypto::Result<Tenant*> tenant_of(crypto::audit::AuditLog& log, const crypto::vault::Id& id,
                                    crypto::WallTime now);
  static crypto::Status read_back(const crypto::audit::AuditLog& log, crypto::WallTime since,
                                  Tenant& tenant);
  static void take(const crypto::audit::AuditRecord& record, Tenant& tenant);
  static void add(Counts& counts, const SubjectKey& subject, crypto::WallTime at);
  static void forget(Counts& counts, crypto::WallTime now);
  static std::optional<Overrun> exceeded(const Counts& counts, const policies::Budget& budget,
                                         const std::vector<SubjectKey>& subjects,
                                         crypto::WallTime now);

  mutable std::mutex mutex_;
  std::map<crypto::vault::Id, Tenant> tenants_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> alarms_;
};

}  // namespace paravent::proxy::admin
