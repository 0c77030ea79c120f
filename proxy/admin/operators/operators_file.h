// The list of operators as text, and back. One spelling; any other is refused whole.
//
//   paravent-operators-v3 INSTALLATION-ID-HEX
//   operator NAME TENANT-ID-HEX|- ROLE person|program CREATED REVOKED|-
//   credential SHA256-HEX CREATED EXPIRES|- PURPOSE,...|- PATH,...|-
//   passphrase SALT-HEX PASSES KIB VERIFIER-HEX SEALED-HEX
//   enrolment SHA256-HEX EXPIRES SECRET-HEX
//   attempts FAILURES LOCKED-UNTIL LAST-STEP
//   end
//
// The lines behind `operator` are that operator's, in this order, credentials repeating; the others
// are left out where there is nothing to say. Times are milliseconds since 1970, UTC. `end` makes a
// list that was cut off known as such. Lists of the versions before name no installation and are
// read too: the second, paravent-operators-v2, is the same otherwise, and the first has one line an
// operator:  paravent-operators-v1 / NAME TENANT-ID-HEX|- ROLE SHA256-HEX. Pure functions; any
// thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/operators/operator_record.h"

namespace paravent::proxy::admin {

struct OperatorsFile {
  crypto::vault::Id installation{};  // kNoId: of a version that names none
  std::vector<OperatorRecord> list;

  bool operator==(const OperatorsFile&) const = default;
};

// REQUIRES: an installation.
std::string operators_text(const OperatorsFile& file);
// nullopt: altered, truncated, or in another spelling.
std::optional<OperatorsFile> parse_operators(std::string_view text);
// Whether its first line says that a version to come wrote it.
bool is_of_newer_version(std::string_view text) noexcept;

}  // namespace paravent::proxy::admin
