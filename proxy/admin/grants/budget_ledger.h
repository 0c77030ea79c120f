// BudgetLedger: what each operator, and each role together, has been given in the last 24 hours,
// and who has to cool off.
//
// Kept nowhere but in the audit log, which is durable before anything is given out: of each tenant
// the last 24 hours are read back at its first question after a start. So a restart gives nobody a
// new budget, and the ledger cannot be altered by itself. Time never goes back in it: what the log
// dates into the future counts as now. But once an operator has said, on record, that the clock is
// right, nothing in front of that is later than it: it was dated by a clock that ran ahead. Thread
// safe; the first question of a tenant blocks on the disk. Counts stay where a later step fails:
// better one value too few than one too many.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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

// What holds for a question.
struct Limits {
  policies::Budget own;
  policies::Budget together;  // of the whole role
  // How many people the operator may see in 24 hours without a second person; none: any number.
  std::optional<std::uint32_t> alone;
};

// What a question would exceed.
struct Overrun {
  std::string_view limit;       // "subjects-per-day"; "cooling-off" while that lasts
  bool alone = false;           // no budget, but what one person may see alone
  bool together = false;        // of the whole role
  bool alarm = false;           // it is exceeded only now, and the cooling-off begins
  crypto::WallTime until;       // when to ask again
  std::uint32_t cooling_off{};  // minutes
};

class BudgetLedger;

// What was counted and is not in the log yet. To be kept until it is there, or never will be: where
// the log is read again meanwhile, it counts all the same. One owner at a time; ends before its
// ledger.
class UnderWay {
 public:
  UnderWay() = default;
  UnderWay(UnderWay&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)), tenant_(other.tenant_), id_(other.id_) {}
  UnderWay& operator=(UnderWay&& other) noexcept;
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { end(); }

  void end();

 private:
  friend class BudgetLedger;
  UnderWay(BudgetLedger& ledger, const crypto::vault::Id& tenant, std::uint64_t id)
      : ledger_(&ledger), tenant_(tenant), id_(id) {}

  BudgetLedger* ledger_ = nullptr;
  crypto::vault::Id tenant_{};
  std::uint64_t id_ = 0;
};

// What became of a question: exactly one of the two is there.
struct Charge {
  std::optional<Overrun> overrun;
  UnderWay under_way;
};

class BudgetLedger {
 public:
  // Counts `subjects`, one entry a value, unless that exceeds one of the limits: then nothing is
  // counted, and the answer says which. Asked and counted in one step, so that questions at the
  // same time exceed none together. An error: the log cannot be read back.
  crypto::Result<Charge> charge(crypto::audit::AuditLog& log, const Account& account, Counted what,
                                const Limits& limits, const std::vector<SubjectKey>& subjects,
                                crypto::WallTime now);

  // `now`, or the latest that the tenant's log speaks of.
  crypto::Result<crypto::WallTime> present(crypto::audit::AuditLog& log,
                                           const crypto::vault::Id& tenant, crypto::WallTime now);

  // To be called when a policy counts what the one before did not. What is under way to the log
  // stays counted, and whoever cools off goes on.
  void read_again();

  // How often a budget was exceeded since the start, by role and limit, for metrics.
  std::map<std::pair<std::string, std::string>, std::uint64_t> alarms() const;

  // The remark of the entry that puts an alarm on record, from which a cooling-off is read back.
  static std::string alarm_remark(Counted what, const Overrun& overrun);
  static constexpr std::string_view kAlarmObject = "budget";
  // Object of the entry in each tenant's log that somebody has seen that the clock is right.
  static constexpr std::string_view kClockObject = "clock";
  // Object of what was revealed under an approved case, which has a quota of its own.
  static constexpr std::string_view kCasePrefix = "case ";

 private:
  friend class UnderWay;

  struct Counts {
    std::map<std::int64_t, std::uint64_t> values;     // by minute since 1970
    std::map<SubjectKey, crypto::WallTime> subjects;  // when last
    crypto::WallTime cooling_until;
  };
  using Key = std::pair<Counted, std::string>;  // "o" and the operator's name, "r" and the role
  struct Pending {
    Counted what = Counted::reveal;
    Account account;
    std::vector<SubjectKey> subjects;
    crypto::WallTime at;
  };
  struct Tenant {
    std::map<Key, Counts> counts;
    std::map<std::uint64_t, Pending> pending;
    crypto::WallTime latest;
    bool to_read = false;  // the log may hold what was not counted
  };

  crypto::Result<Tenant*> tenant_of(crypto::audit::AuditLog& log, const crypto::vault::Id& id,
                                    crypto::WallTime now);
  static crypto::Status read_back(const crypto::audit::AuditLog& log, crypto::WallTime now,
                                  Tenant& tenant);
  static void take(const crypto::audit::AuditRecord& record, crypto::WallTime at, Tenant& tenant);
  static void carry_over(Tenant& before, Tenant& read);
  void settle(const crypto::vault::Id& tenant, std::uint64_t id);
  static void add(Counts& counts, const SubjectKey& subject, crypto::WallTime at);
  static void forget(Counts& counts, crypto::WallTime now);
  static std::optional<Overrun> exceeded(const Counts& counts, const policies::Budget& budget,
                                         const std::vector<SubjectKey>& subjects,
                                         crypto::WallTime now);
  static bool needs_two(const Counts& counts, const Limits& limits,
                        const std::vector<SubjectKey>& subjects);

  mutable std::mutex mutex_;
  std::map<crypto::vault::Id, Tenant> tenants_;
  std::uint64_t charges_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> alarms_;
};

}  // namespace paravent::proxy::admin
