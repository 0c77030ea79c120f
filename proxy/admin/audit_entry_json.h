// An entry of the audit log as JSON, the same for the API, exports and dossiers
// (docs/admin-api.md). Pure functions.

#pragma once

#include <string>

#include "crypto/audit/audit_log.h"

namespace paravent::proxy::admin {

// What of the detail the reader may see.
enum class DetailView : std::uint8_t { shown, withheld };

// Appends {"index":0,"time":"...","event":"reveal","outcome":"done","leaf":"base64",...}. Without
// its closing brace where `open`, so that the caller adds members.
void append_audit_entry(const crypto::audit::AuditRecord& record, DetailView view, std::string& out,
                        bool open = false);

// RFC 3339 in UTC with milliseconds, as entries carry it.
std::string audit_time_text(crypto::WallTime time);

void append_hashes(const std::vector<crypto::audit::Hash>& hashes, std::string& out);

}  // namespace paravent::proxy::admin
