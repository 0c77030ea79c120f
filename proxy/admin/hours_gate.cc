// The hours of a role, for every path: what time it is, and that it cannot be made earlier.

#include "proxy/admin/hours_gate.h"

#include "proxy/admin/admin_api.h"
#include "proxy/admin/door_record.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

// What a clock may be put back by in the course of being kept right.
constexpr auto kKeptRight = std::chrono::minutes(1);

}  // namespace

// Of a clock that was put back nobody knows what time it is: it may be outside of the hours, so it
// is. What was seen before a restart stands in the tenant's log.
crypto::Result<bool> AdminApi::outside_hours(const AdminParts& parts, const Operator& who) {
  const policies::AccessRules& rules = parts.access->rules();
  const policies::Role* const role = rules.role(who.tenant, who.role);
  if (role == nullptr || role->hours.empty()) return false;
  audit::AuditLog* const log = parts.logs.tenant(who.tenant);
  if (log == nullptr) return true;
  const auto latest = ledger_.present(*log, who.tenant, parts.operators.now());
  if (!latest) return latest.error();
  if (parts.operators.clock_time() + kKeptRight < *latest) return true;
  return !rules.within_hours(who.tenant, who.role, *latest);
}

std::optional<std::string> AdminApi::caller_of(const AdminRequest& request) {
  const AdminParts parts = current_parts();
  Refusal unused;
  const auto who = identify(parts, request, unused);
  if (!who) return std::nullopt;
  const auto closed = outside_hours(parts, *who);
  if (!closed || *closed) return std::nullopt;
  std::string text = crypto::vault::id_hex(who->tenant) + "\n" + who->name + "\n" + who->role;
  for (const auto* words : {&who->scope.purposes, &who->scope.paths}) {
    text.push_back('\n');
    for (const std::string& word : *words) text.append(word).push_back(' ');
  }
  return text;
}

std::optional<AdminResponse> AdminApi::closed_for(const AdminRequest& request,
                                                  const Operator& who) {
  const AdminParts parts = current_parts();
  const auto closed = outside_hours(parts, who);
  if (closed && !*closed) return std::nullopt;
  if (!closed) {
    return admin_problem(503, "audit-unavailable",
                         "The audit log cannot be read; nothing was done.");
  }
  return turned_away(parts.logs, request, who, kHoursRemark, hours_problem());
}

}  // namespace paravent::proxy::admin
