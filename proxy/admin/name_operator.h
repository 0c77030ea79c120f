// Who did it, as an audit entry says it: the same words for every door.

#pragma once

#include <string>
#include <utility>

#include "crypto/audit/audit_log.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

inline void name_operator(const Operator& who, crypto::audit::AuditDetail& detail) {
  detail.operator_name = who.name;
  detail.role = who.role;
  detail.credential = who.credential;
}

// Where no operator did it: a signal, a start. `what`: no operator's name.
inline Operator nobody(std::string what) {
  Operator author;
  author.name = std::move(what);
  return author;
}

}  // namespace paravent::proxy::admin
