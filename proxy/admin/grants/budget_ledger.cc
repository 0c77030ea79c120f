#include "proxy/admin/grants/budget_ledger.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Result;
using crypto::Status;
using crypto::WallTime;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kReadAtOnce = 1000;
constexpr std::string_view kMinutes = " cooling-off-minutes=";

std::int64_t minute_of(WallTime time) {
  return std::chrono::floor<minutes>(time).time_since_epoch().count();
}

std::string own_key(std::string_view name) { return "o" + std::string(name); }
std::string role_key(std::string_view role) { return "r" + std::string(role); }

// Whose data a record is about, or which value.
SubjectKey key_of(const audit::AuditDetail& detail, const audit::AuditToken& token) {
  SubjectKey key = token.digest;
  if (detail.subject.size() == key.size()) {
    std::transform(detail.subject.begin(), detail.subject.end(), key.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
  }
  return key;
}

bool says_clock_is_right(const audit::AuditRecord& record) {
  return record.open.event == audit::EventKind::key_operation &&
         record.open.outcome == audit::Outcome::done && record.detail &&
         record.detail->object == BudgetLedger::kClockObject;
}

std::optional<std::uint32_t> number_behind(std::string_view text, std::string_view marker) {
  const std::size_t at = text.find(marker);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + marker.size());
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string BudgetLedger::alarm_remark(Counted what, const Overrun& overrun) {
  return std::string(what == Counted::reveal ? "reveal " : "protect ") +
         (overrun.together ? "role " : "operator ") + std::string(overrun.limit) +
         std::string(kMinutes) + std::to_string(overrun.cooling_off);
}

void BudgetLedger::add(Counts& counts, const SubjectKey& subject, WallTime at) {
  ++counts.values[minute_of(at)];
  WallTime& last = counts.subjects[subject];
  last = std::max(last, at);
}

void BudgetLedger::forget(Counts& counts, WallTime now) {
  const WallTime since = now - hours(24);
  counts.values.erase(counts.values.begin(), counts.values.upper_bound(minute_of(since)));
  std::erase_if(counts.subjects, [since](const auto& one) { return one.second <= since; });
}

std::optional<Overrun> BudgetLedger::exceeded(const Counts& counts, const policies::Budget& budget,
                                              const std::vector<SubjectKey>& subjects,
                                              WallTime now) {
  if (!budget.is_limited()) return std::nullopt;
  if (now < counts.cooling_until) {
    return Overrun{"cooling-off", false, false, false, counts.cooling_until, budget.cooling_off};
  }
  const auto over = [&](std::string_view limit) {
    return Overrun{
        limit, false, false, true, now + minutes(budget.cooling_off), budget.cooling_off};
  };
  const auto values_since = [&](WallTime since) {
    std::uint64_t sum = subjects.size();
    for (auto it = counts.values.upper_bound(minute_of(since)); it != counts.values.end(); ++it) {
      sum += it->second;
    }
    return sum;
  };
  const auto subjects_since = [&](WallTime since) {
    std::set<SubjectKey> seen(subjects.begin(), subjects.end());
    std::size_t sum = seen.size();
    for (const auto& [subject, last] : counts.subjects) {
      if (last > since && !seen.contains(subject)) ++sum;
    }
    return sum;
  };
  if (budget.subjects_per_hour && subjects_since(now - hours(1)) > *budget.subjects_per_hour) {
    return over("subjects-per-hour");
  }
  if (budget.subjects_per_day && subjects_since(now - hours(24)) > *budget.subjects_per_day) {
    return over("subjects-per-day");
  }
  if (budget.values_per_hour && values_since(now - hours(1)) > *budget.values_per_hour) {
    return over("values-per-hour");
  }
  if (budget.values_per_day && values_since(now - hours(24)) > *budget.values_per_day) {
    return over("values-per-day");
  }
  return std::nullopt;
}

// REQUIRES: what is older than a day is forgotten.
bool BudgetLedger::needs_two(const Counts& counts, const Limits& limits,
                             const std::vector<SubjectKey>& subjects) {
  if (!limits.alone) return false;
  std::set<SubjectKey> seen(subjects.begin(), subjects.end());
  for (const auto& [subject, last] : counts.subjects) seen.insert(subject);
  return seen.size() > *limits.alone;
}

void BudgetLedger::take(const audit::AuditRecord& record, WallTime at, Tenant& tenant) {
  if (!record.detail) return;
  const audit::AuditDetail& detail = *record.detail;
  tenant.latest = std::max(tenant.latest, at);
  const bool alarm =
      record.open.event == audit::EventKind::refusal && detail.object == kAlarmObject;
  if (alarm) {
    const bool together = detail.remark.find(" role ") != std::string::npos;
    const Counted what = detail.remark.starts_with("protect ") ? Counted::protect : Counted::reveal;
    const auto off = number_behind(detail.remark, kMinutes);
    Counts& counts =
        tenant.counts[{what, together ? role_key(detail.role) : own_key(detail.operator_name)}];
    counts.cooling_until = std::max(counts.cooling_until, at + minutes(off.value_or(0)));
    return;
  }
  const bool done = record.open.outcome == audit::Outcome::done;
  const bool reveal = done && record.open.event == audit::EventKind::reveal &&
                      detail.remark != "replaced" && !detail.object.starts_with(kCasePrefix);
  // What the route refused counts as what it took: the answer tells something either way.
  const bool protect = record.open.event == audit::EventKind::protect &&
                       (done || record.open.outcome == audit::Outcome::failed);
  if (!reveal && !protect) return;
  const Counted what = reveal ? Counted::reveal : Counted::protect;
  for (const std::string& key : {own_key(detail.operator_name), role_key(detail.role)}) {
    Counts& counts = tenant.counts[{what, key}];
    for (const audit::AuditToken& token : detail.tokens) add(counts, key_of(detail, token), at);
  }
}

// An entry is no later than one behind it that says that the clock was right. Only what is in the
// future is dated so: a clock that somebody has put back, and called right, makes nothing older
// than it was once it is right again.
Status BudgetLedger::read_back(const audit::AuditLog& log, WallTime now, Tenant& tenant) {
  const WallTime since = now - hours(24);
  std::optional<WallTime> right;
  std::uint64_t end = log.size();
  while (end > 0) {
    const std::uint64_t begin = end > kReadAtOnce ? end - kReadAtOnce : 0;
    const auto records = log.read(begin, static_cast<std::size_t>(end - begin));
    if (!records) return records.error();
    bool all_old = true;
    for (auto record = records->rbegin(); record != records->rend(); ++record) {
      WallTime at = record->open.time;
      if (right && at > now) at = std::min(at, *right);
      if (says_clock_is_right(*record)) right = at;
      if (at <= since) continue;
      all_old = false;
      take(*record, at, tenant);
    }
    if (all_old) break;
    end = begin;
  }
  return {};
}

// What the log just read cannot hold yet: charges whose entries are still to come, and alarms
// likewise.
void BudgetLedger::carry_over(Tenant& before, Tenant& read) {
  read.latest = std::max(read.latest, before.latest);
  for (const auto& [key, counts] : before.counts) {
    if (counts.cooling_until == WallTime()) continue;
    WallTime& until = read.counts[key].cooling_until;
    until = std::max(until, counts.cooling_until);
  }
  for (const auto& [id, pending] : before.pending) {
    const Account& account = pending.account;
    for (const std::string& key : {own_key(account.operator_name), role_key(account.role)}) {
      Counts& counts = read.counts[{pending.what, key}];
      for (const SubjectKey& subject : pending.subjects) add(counts, subject, pending.at);
    }
  }
  read.pending = std::move(before.pending);
}

Result<BudgetLedger::Tenant*> BudgetLedger::tenant_of(audit::AuditLog& log,
                                                      const crypto::vault::Id& id, WallTime now) {
  const auto known = tenants_.find(id);
  if (known != tenants_.end() && !known->second.to_read) return &known->second;
  Tenant tenant;
  if (auto status = read_back(log, now, tenant); !status) return status.error();
  if (known != tenants_.end()) carry_over(known->second, tenant);
  return &(tenants_[id] = std::move(tenant));
}

Result<Charge> BudgetLedger::charge(audit::AuditLog& log, const Account& account, Counted what,
                                    const Limits& limits, const std::vector<SubjectKey>& subjects,
                                    WallTime now) {
  const std::lock_guard lock(mutex_);
  auto tenant = tenant_of(log, account.tenant, now);
  if (!tenant) return tenant.error();
  now = (*tenant)->latest = std::max((*tenant)->latest, now);
  Counts& mine = (*tenant)->counts[{what, own_key(account.operator_name)}];
  Counts& all = (*tenant)->counts[{what, role_key(account.role)}];
  forget(mine, now);
  forget(all, now);
  if (needs_two(mine, limits, subjects)) {
    return Charge{Overrun{"subjects", true, false, false, now, 0}, {}};
  }
  auto overrun = exceeded(mine, limits.own, subjects, now);
  Counts* blamed = &mine;
  if (!overrun) {
    overrun = exceeded(all, limits.together, subjects, now);
    blamed = &all;
    if (overrun) overrun->together = true;
  }
  if (overrun) {
    if (overrun->alarm) {
      blamed->cooling_until = overrun->until;
      ++alarms_[{account.role, std::string(overrun->limit)}];
    }
    return Charge{overrun, {}};
  }
  for (const SubjectKey& subject : subjects) {
    add(mine, subject, now);
    if (limits.together.is_limited()) add(all, subject, now);
  }
  (*tenant)->pending.emplace(++charges_, Pending{what, account, subjects, now});
  return Charge{std::nullopt, UnderWay(*this, account.tenant, charges_)};
}

void BudgetLedger::settle(const crypto::vault::Id& tenant, std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto known = tenants_.find(tenant);
  if (known != tenants_.end()) known->second.pending.erase(id);
}

void UnderWay::end() {
  if (BudgetLedger* const ledger = std::exchange(ledger_, nullptr)) ledger->settle(tenant_, id_);
}

UnderWay& UnderWay::operator=(UnderWay&& other) noexcept {
  if (this == &other) return *this;
  end();
  ledger_ = std::exchange(other.ledger_, nullptr);
  tenant_ = other.tenant_;
  id_ = other.id_;
  return *this;
}

Result<WallTime> BudgetLedger::present(audit::AuditLog& log, const crypto::vault::Id& id,
                                       WallTime now) {
  const std::lock_guard lock(mutex_);
  auto tenant = tenant_of(log, id, now);
  if (!tenant) return tenant.error();
  return (*tenant)->latest = std::max((*tenant)->latest, now);
}

void BudgetLedger::read_again() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, tenant] : tenants_) tenant.to_read = true;
}

std::map<std::pair<std::string, std::string>, std::uint64_t> BudgetLedger::alarms() const {
  const std::lock_guard lock(mutex_);
  return alarms_;
}

}  // namespace paravent::proxy::admin
