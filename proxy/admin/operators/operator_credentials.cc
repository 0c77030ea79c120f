// OperatorsApi on the credentials of programs: made, and taken back.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "policies/model/period.h"
#include "policies/model/yaml_reader.h"
#include "proxy/admin/operators/operator_json.h"
#include "proxy/admin/operators/operators_act.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::array<std::string_view, 16> kScopePaths{
    "reidentify", "protect", "subjects", "keys",  "rewrap", "tenants", "holds",  "operators",
    "grants",     "audit",   "policy",   "store", "backup", "metrics", "unseal", "seal"};

}  // namespace

std::string credential_words(const BodyMembers& members) {
  std::string out;
  if (const std::string_view period = members.text("expires"); !period.empty()) {
    out.append(", ends after ").append(period);
  }
  for (const char* list : {"purposes", "paths"}) {
    for (const std::string& word : members.list(list)) out += ", " + std::string(list) + " " + word;
  }
  return out;
}

// What a new credential is to be, without its hash.
Result<KeptCredential> OperatorsApi::credential_of(const BodyMembers& members) const {
  KeptCredential made;
  made.created = operators_.now();
  if (const std::string_view text = members.text("expires"); !text.empty()) {
    const auto period = policies::parse_period(text);
    if (!period) {
      return Error(ErrorKind::malformed, "The member expires is a period: P30D, P1Y.");
    }
    made.expires = policies::add_period(made.created, *period);
  }
  made.scope.purposes = members.list("purposes");
  made.scope.paths = members.list("paths");
  for (const std::string& purpose : made.scope.purposes) {
    if (!policies::is_name(purpose)) {
      return Error(ErrorKind::malformed, "The member purposes holds no name of a purpose.");
    }
  }
  for (const std::string& path : made.scope.paths) {
    if (std::find(kScopePaths.begin(), kScopePaths.end(), path) == kScopePaths.end()) {
      std::string list;
      for (const std::string_view word : kScopePaths) {
        list += (list.empty() ? "" : ", ") + std::string(word);
      }
      return Error(ErrorKind::malformed, "The member paths takes " + list + ".");
    }
  }
  return made;
}

std::optional<AdminResponse> OperatorsApi::check_purposes(const crypto::vault::Id& tenant,
                                                          const KeptCredential& wanted) const {
  for (const std::string& purpose : wanted.scope.purposes) {
    if (access_()->rules().has_purpose(tenant, purpose)) continue;
    return admin_problem(422, "no-such-purpose",
                         "The tenant's policy has no purpose " + purpose + ".");
  }
  return std::nullopt;
}

AdminResponse OperatorsApi::add_credential(const BodyMembers& members, const Operator& who,
                                           const std::string& name) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  auto wanted = credential_of(members);
  if (!wanted) return malformed(wanted.error());
  if (auto answer = check_purposes(one->tenant, *wanted)) return std::move(*answer);
  if (auto answer = ask_second(who, one->tenant, members,
                               "credential for " + name + credential_words(members))) {
    return std::move(*answer);
  }
  const crypto::SecretBytes credential = new_credential("pvcred_");
  wanted->hash = crypto::sha256(credential.bytes());
  return act({who, one->tenant, std::string(members.text("reason")), name,
              "credential " + credential_id(wanted->hash), [&]() -> Result<std::string> {
                auto status = operators_.change(name, [&](OperatorRecord& kept) -> Status {
                  if (kept.revoked) {
                    return Error(ErrorKind::refused, "This operator is revoked, for good.");
                  }
                  if (kept.credentials.size() >= kMaxCredentials) {
                    return Error(ErrorKind::refused,
                                 "This operator has 16 credentials; revoke one first.");
                  }
                  kept.credentials.push_back(*wanted);
                  return {};
                });
                if (!status) return status.error();
                std::string out = credential_json(*wanted);
                out.pop_back();
                out.reserve(out.size() + kCredentialRoom);
                append_text_member("credential", crypto::as_text(credential.bytes()), out);
                return out + "}";
              }});
}

AdminResponse OperatorsApi::revoke_credential(const Operator& who, const std::string& name,
                                              std::string_view id, const BodyMembers& members) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  const auto is_it = [id](const KeptCredential& kept) { return credential_id(kept.hash) == id; };
  if (std::none_of(one->credentials.begin(), one->credentials.end(), is_it)) {
    return admin_problem(404, "no-such-credential", "This operator has no credential of that id.");
  }
  return act({who, one->tenant, std::string(members.text("reason")), name,
              "revoke credential " + std::string(id), [&]() -> Result<std::string> {
                auto status = operators_.change(name, [&](OperatorRecord& kept) -> Status {
                  std::erase_if(kept.credentials, is_it);
                  return {};
                });
                if (!status) return status.error();
                return "{\"operator\":" + json_of(*operators_.find(name)) + "}";
              }});
}

}  // namespace paravent::proxy::admin
