// The list of operators as text, and back. One spelling; any other is refused whole.
//
//   paravent-operators-v2
//   operator NAME TENANT-ID-HEX|- ROLE person|program CREATED REVOKED|-
//   credential SHA256-HEX CREATED EXPIRES|- PURPOSE,...|- PATH,...|-
//   passphrase SALT-HEX PASSES KIB VERIFIER-HEX SEALED-HEX
//   enrolment SHA256-HEX EXPIRES SECRET-HEX
//   attempts FAILURES LOCKED-UNTIL LAST-STEP
//   end
//
// The lines behind `operator` are that operator's, in this order, credentials repeating; the others
// are left out where there is nothing to say. Times are milliseconds since 1970, UTC. `end` makes a
// list that was cut off known as such. A list of the first version, one line an operator, is read
// too:  paravent-operators-v1 / NAME TENANT-ID-HEX|- ROLE SHA256-HEX. Pure functions; any thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/operators/operator_record.h"

namespace paravent::proxy::admin {

std::string operators_text(const std::vector<OperatorRecord>& list);
// nullopt: altered, truncated, or in another spelling.
std::optional<std::vector<OperatorRecord>> parse_operators(std::string_view text);

}  // namespace paravent::proxy::admin
