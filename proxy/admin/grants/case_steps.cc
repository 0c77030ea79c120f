#include "proxy/admin/grants/case_steps.h"

#include <utility>

#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/grants/case_record.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

constexpr auto kChangeLife = std::chrono::hours(72);

audit::AuditEntry entry_of(const ChangeRequest& request, const Case& one, std::string_view step) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::grant_change;
  entry.detail.operator_name = request.requester;
  entry.detail.role = request.role;
  entry.detail.credential = request.credential;
  entry.detail.reason = request.reason;
  entry.detail.object = std::string(BudgetLedger::kCasePrefix) + crypto::vault::id_hex(one.id);
  entry.detail.remark = std::string(step) + ": " + one.change;
  return entry;
}

}  // namespace

bool close_if_over(const Case& one, crypto::WallTime now, Cases::Use& use) {
  const bool alive = one.state == CaseState::open || one.state == CaseState::approved;
  if (!alive || !is_over(one, now)) return false;
  Case over = one;
  over.state = CaseState::closed;
  return static_cast<bool>(use.keep(std::move(over)));
}

AdminResponse open_change(const ChangeRequest& request, crypto::WallTime now, Cases& cases,
                          audit::AuditLog& log) {
  Case made;
  made.id = crypto::vault::random_id();
  made.tenant = request.tenant;
  made.type = CaseType::change;
  made.requester = request.requester;
  made.requester_role = request.role;
  made.opened = now;
  made.expires = now + kChangeLife;
  made.change = request.change;
  Cases::Use use = cases.use();
  const auto receipt = log.append(entry_of(request, made, "open"));
  if (!receipt) {
    return audit_unavailable();
  }
  made.entries.push_back({receipt->index(), 1});
  if (!use.keep(made)) {
    return admin_problem(503, "store-unavailable", "The grant cannot be written.");
  }
  return {202, "application/json", "{\"grant\":" + case_json(made, request.reason) + "}\n"};
}

const Case* approved_change(const ChangeRequest& request, std::string_view id,
                            const StillTwo& still_two, crypto::WallTime now,
                            const Cases::Use& use) {
  for (const Case* one : use.all()) {
    const bool fits = one->type == CaseType::change && one->state == CaseState::approved &&
                      one->tenant == request.tenant && one->change == request.change &&
                      (request.requester.empty() || one->requester == request.requester) &&
                      !is_over(*one, now) && (id.empty() || crypto::vault::id_hex(one->id) == id);
    if (fits && still_two(*one)) return one;
  }
  return nullptr;
}

crypto::Result<Case> use_up(const ChangeRequest& request, const Case& approved, Cases::Use& use,
                            audit::AuditLog& log) {
  Case used = approved;
  const auto receipt = log.append(entry_of(request, used, "use"));
  if (!receipt) return receipt.error();
  used.entries.push_back({receipt->index(), 1});
  used.state = CaseState::closed;
  if (auto status = use.keep(used); !status) return status.error();
  return used;
}

crypto::Result<std::optional<Case>> use_change(const ChangeRequest& request, std::string_view id,
                                               const StillTwo& still_two, crypto::WallTime now,
                                               Cases& cases, audit::AuditLog& log) {
  Cases::Use use = cases.use();
  const Case* approved = approved_change(request, id, still_two, now, use);
  if (approved == nullptr) return std::optional<Case>();
  auto used = use_up(request, *approved, use, log);
  if (!used) return used.error();
  return std::optional<Case>(std::move(*used));
}

}  // namespace paravent::proxy::admin
