// Operators and their credentials as /v1/operators shows them: never a hash, never a secret. Pure
// functions; any thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "proxy/admin/operators/operator_record.h"

namespace paravent::proxy::admin {

// Appends a member to an object that is being written: `"name":"text"`, with the comma it needs.
void append_text_member(std::string_view name, std::string_view text, std::string& out);

std::string credential_json(const KeptCredential& credential);

// `tenant`: its name; empty: none yet. `now`: whether a login waits is told by it.
std::string operator_json(const OperatorRecord& one, std::string_view tenant, crypto::WallTime now);

}  // namespace paravent::proxy::admin
