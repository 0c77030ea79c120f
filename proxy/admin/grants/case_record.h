// The printable record of a case: who asked for what and why, who agreed, what was revealed, and
// the proofs that the audit log holds all of it. As JSON and as HTML. No value is in it.

#pragma once

#include <string>

#include "crypto/audit/audit_log.h"
#include "crypto/base/result.h"
#include "proxy/admin/grants/case.h"

namespace paravent::proxy::admin {

// More entries than these are not put into one record: dossiers take them, by periods.
inline constexpr std::size_t kMostRecordEntries = 20'000;

// What a case is and what became of it, as the API shows it. `reason`: of the request.
std::string case_json(const Case& one, std::string_view reason);

// Why it was asked for; empty where the log's retention is over.
std::string reason_of(const Case& one, const crypto::audit::AuditLog& log);

// ErrorKind::refused: more than kMostRecordEntries, and nothing was read. Else: the log cannot be
// read.
crypto::Result<std::string> case_record_json(const Case& one, const crypto::audit::AuditLog& log);
crypto::Result<std::string> case_record_html(const Case& one, const crypto::audit::AuditLog& log);

}  // namespace paravent::proxy::admin
