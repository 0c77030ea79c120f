// OidcEntry: which subject of another issuer has which role, as one policy says it. The issuers
// themselves, their keys and addresses, are the gateway file's: this names one of them.
//
// Plain data; read and checked by the functions at the end, whose faults go to the Diagnostics.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"

namespace paravent::policies {

struct Policy;

// A member of the credential's claims that has to be this text, or a list that holds it.
struct OidcClaim {
  std::string name;
  std::string value;
};

struct OidcEntry {
  Position at;
  Located<std::string> issuer;  // our name of it
  std::string subject;          // sub; empty: any that has the claims
  std::vector<OidcClaim> claims;
  Located<std::string> role;
  // Who that is here: the name of the person's operator; or, where they have none, one that the
  // policy's author gives them. Two identities of one person are not two people. Empty: nobody
  // knows.
  std::string person;
  bool has_operator = true;  // `operator: false`: the person has none, so none is looked for
};

// 1 to 16 lower-case letters, digits and hyphens: part of operators' names.
bool is_oidc_issuer_name(std::string_view text) noexcept;

std::vector<OidcEntry> read_oidc(const YamlNode& node, Diagnostics& out);

// Every role exists, no two entries are for the same subject or the same claims, and whoever
// approves is a known person.
void check_oidc(const Policy& policy, Diagnostics& out);

}  // namespace paravent::policies
