// error: (is private within this context|calling a private constructor)
// Only the AuditLog gives a receipt, once the entry is durable.
#include "crypto/audit/audit_log.h"

paravent::crypto::Result<paravent::crypto::audit::AuditReceipt> receipt(
    [[maybe_unused]] paravent::crypto::audit::AuditLog& log,
    [[maybe_unused]] const paravent::crypto::audit::AuditEntry& entry) {
#if defined(CORRECT)
  return log.append(entry);
#else
  return paravent::crypto::audit::AuditReceipt(nullptr, 0, entry.event, entry.outcome, {});
#endif
}
