// error: (use of deleted function|call to deleted constructor)
// One receipt, one re-identification.
#include <utility>

#include "crypto/audit/audit_receipt.h"

paravent::crypto::audit::AuditReceipt again(paravent::crypto::audit::AuditReceipt& receipt) {
#if defined(CORRECT)
  return std::move(receipt);
#else
  return receipt;
#endif
}
