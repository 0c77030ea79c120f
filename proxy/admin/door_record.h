// Who was turned away at a door, on record: refusals are logged too, and whoever holds a stolen
// credential tries doors.

#pragma once

#include <string>
#include <string_view>

#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

// "POST /v1/keys/*/destroy": the parts of the path that are words, ids or names of operators; what
// else stands in it is the asker's own text, and goes nowhere.
std::string door_text(const AdminRequest& request);

// `answer`, once there is an entry that says who came to which door with which credential, and in
// one word why they were turned away: in the tenant's log, or the installation's where that is not
// open. Else 503.
AdminResponse turned_away(const AuditLogs& logs, const AdminRequest& request, const Operator& who,
                          std::string_view why, AdminResponse answer);

}  // namespace paravent::proxy::admin
