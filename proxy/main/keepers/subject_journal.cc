#include "proxy/main/keepers/subject_journal.h"

#include <map>
#include <string>

namespace paravent::proxy::main {

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

}  // namespace paravent::proxy::main
