// A long answer of POST /v1/reidentify as JSON lines (application/x-ndjson): one result a line, as
// it is made, then a last line that says that all are there.
//
// The tokens are taken in parts, each of which is on the record before the first of its values is
// opened; so the memory for values is bounded by a part, not by the request. Each part is judged
// anew, as a request of its own would be: who asks (the credential is not revoked and not over, the
// issuer's key still trusted, role and scope as they were), the hours, the policy, the budget and
// the grant. What ends an answer half-way is its last line, a problem, and the rest is on record.

#pragma once

#include "proxy/admin/admin_message.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kTokensPerPart = 500;

// How results are written.
enum class ResultForm : std::uint8_t { object, lines };

// Whether the request asks for lines: `Accept: application/x-ndjson` and nothing else.
bool wants_lines(const AdminRequest& request);

}  // namespace paravent::proxy::admin
