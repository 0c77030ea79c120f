#include "proxy/main/keepers/subject_journal.h"

#include <map>
#include <string>

namespace paravent::proxy::main {

using crypto::vault::SubjectClock;

crypto::Status AuditedSubjects::record(crypto::vault::KeyOperation operation,
                                       std::span<const crypto::vault::DueSubject> subjects) {
  std::map<crypto::vault::Id, std::vector<crypto::audit::AuditEntry>> by_tenant;
  for (const crypto::vault::DueSubject& one : subjects) {
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::key_operation;
    entry.detail.operator_name = "retention";
    entry.detail.purpose = one.purpose;
    entry.detail.subject = crypto::as_text(one.reference);
    entry.detail.object = crypto::vault::id_hex(one.handle);
    entry.detail.remark = crypto::vault::key_operation_name(operation);
    by_tenant[one.tenant].push_back(std::move(entry));
  }
  for (const auto& [tenant, entries] : by_tenant) {
    // A tenant whose policy is not loaded any more has no log that is open, but people who are due.
    auto receipts = logs_.tenant_or_installation(tenant).append_all(entries);
    if (!receipts) return receipts.error();
  }
  return {};
}

std::vector<crypto::vault::SubjectClockRule> subject_clocks(const policies::Policy& policy) {
  std::vector<crypto::vault::SubjectClockRule> rules;
  for (const policies::Purpose& purpose : policy.purposes) {
    if (!purpose.retention) continue;
    const bool event = purpose.retention->from == policies::RetentionFrom::contract_end ||
                       purpose.retention->from == policies::RetentionFrom::case_closed;
    rules.push_back(
        {policy.tenant.value, purpose.name, event ? SubjectClock::event : SubjectClock::contact});
  }
  return rules;
}

}  // namespace paravent::proxy::main
