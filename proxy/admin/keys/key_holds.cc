// KeyApi on what keeps keys from ending: holds, and the freeze that somebody confirms away.

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/keys/key_act.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/subjects/subject_reference.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {

using crypto::Result;
using crypto::vault::KeyAdmin;

AdminResponse KeyApi::confirm(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 1> kKnown{"reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const crypto::vault::FreezeInfo before = KeyAdmin(vault_).freeze_info();
  const bool was_frozen = before.keeper.frozen() || !before.pending.empty();
  const std::string& reason = (*members)["reason"];
  return act({.who = who,
              .reason = reason,
              .object = "retention",
              .remark = was_frozen ? "confirm: shortened retentions hold, destruction goes on"
                                   : "confirm: nothing was frozen",
              .work = [&]() -> Result<std::string> {
                KeyAdmin keys(vault_);
                // First: once nothing is frozen any more, nobody would say it again.
                if (before.keeper.frozen_by(crypto::vault::Freeze::clock)) {
                  if (auto s = say_clock_is_right(who, reason); !s) return s.error();
                }
                if (auto s = keys.confirm(); !s) return s.error();
                std::string out;
                append_freeze(keys.freeze_info(), out);
                out.pop_back();
                return out + ",\"was_frozen\":" + (was_frozen ? "true" : "false") + "}";
              }});
}

// In each tenant's log, which its budgets and hours are read back from.
crypto::Status KeyApi::say_clock_is_right(const Operator& who, std::string_view reason) const {
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  name_operator(who, entry.detail);
  entry.detail.reason = reason;
  entry.detail.object = BudgetLedger::kClockObject;
  entry.detail.remark = "confirm: the clock is right, what is dated later is not believed";
  for (crypto::audit::AuditLog* log : logs_.all()) {
    if (log == &logs_.installation()) continue;
    if (const auto receipt = log->append(entry); !receipt) return receipt.error();
  }
  return at_right_clock_ ? at_right_clock_() : crypto::Status();
}

AdminResponse KeyApi::hold(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 5> kKnown{"tenant", "purpose", "until", "reason",
                                                   "subject"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto until = day_from((*members)["until"]);
  const auto tenant = vault_.tenant_id((*members)["tenant"]);
  if (!until) {
    return admin_problem(400, "malformed-body",
                         "until is the day on which the hold ends: 2027-01-31.");
  }
  if (!tenant) return admin_problem(400, "malformed-body", "There is no such tenant.");
  std::optional<crypto::vault::SubjectReference> subject;
  if (const std::string& text = (*members)["subject"]; !text.empty()) {
    subject = reference_from_hex(text);
    if (!subject) {
      return admin_problem(400, "malformed-body",
                           "subject is a reference of 64 hexadecimal digits.");
    }
  }
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = *tenant,
              .object = "purpose " + (*members)["purpose"],
              .remark = "hold until " + (*members)["until"],
              .work = [&]() -> Result<std::string> {
                const auto made = KeyAdmin(vault_).hold((*members)["tenant"], (*members)["purpose"],
                                                        subject, (*members)["reason"], *until);
                if (!made) return made.error();
                return R"({"id":")" + crypto::vault::id_hex(*made) + "\"}";
              }});
}

AdminResponse KeyApi::release(const AdminRequest& request, const Operator& who,
                              std::string_view id) {
  constexpr std::array<std::string_view, 1> kKnown{"reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto hold = id_from_hex(id);
  std::optional<crypto::vault::HoldInfo> found;
  for (auto& one : KeyAdmin(vault_).holds()) {
    if (hold && one.record.id == *hold) found = std::move(one);
  }
  if (!found) return admin_problem(404, "no-route", "There is no such hold.");
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = found->record.tenant,
              .object = "purpose " + found->purpose,
              .remark = "release hold " + std::string(id),
              .work = [&]() -> Result<std::string> {
                if (auto s = KeyAdmin(vault_).release(*hold); !s) return s.error();
                return std::string("{}");
              }});
}

}  // namespace paravent::proxy::admin
