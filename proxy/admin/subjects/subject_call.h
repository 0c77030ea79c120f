// SubjectCall: one request about people, from when it is understood until it is answered. One
// request's; all that it refers to outlives it.

#pragma once

#include "crypto/audit/audit_log.h"
#include "crypto/reveal/principal.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/subjects/subject_request.h"

namespace paravent::proxy::admin {

struct SubjectCall {
  const AdminParts& parts;
  SubjectDoor door;
  const SubjectRequest& request;
  const Operator& who;
  const crypto::reveal::Principal& principal;
  crypto::audit::AuditLog& log;
};

inline AdminResponse no_store() {
  return admin_problem(503, "store-unavailable", "The vault cannot be read or written.");
}

}  // namespace paravent::proxy::admin
