// OperatorsApi on operators: added, invited, unlocked, revoked for good.

#include <chrono>
#include <string>
#include <utility>

#include "crypto/primitives/random.h"
#include "proxy/admin/operators/operator_json.h"
#include "proxy/admin/operators/operators_act.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::WallTime;
using crypto::vault::Id;

}  // namespace

AdminResponse OperatorsApi::add(const BodyMembers& members, const Operator& who) {
  const std::string name(members.text("name"));
  const std::string role(members.text("role"));
  const std::string_view type = members.text("type");
  if (!is_new_operator_name(name) || !is_role_name(role)) {
    return admin_problem(400, "malformed-body",
                         "name: 1 to 32 lower-case letters, digits and hyphens, the first of them "
                         "no hyphen; role: one of the policy's.");
  }
  if (type != "person" && type != "program") {
    return admin_problem(400, "malformed-body", "The member type is person or program.");
  }
  auto wanted = credential_of(members);
  if (!wanted) return malformed(wanted.error());
  const bool person = type == "person";
  if (person && (wanted->expires || !(wanted->scope == CredentialScope()))) {
    return admin_problem(400, "malformed-body",
                         "A person gets no credential here but a pass-phrase: invite them next.");
  }
  const Id tenant = tenant_named(members.text("tenant"), who);
  if (tenant == crypto::vault::kNoId) {
    return admin_problem(422, "no-such-tenant", "No policy of that tenant is served.");
  }
  if (role != policies::kAdminRole && access_()->rules().role(tenant, role) == nullptr) {
    return admin_problem(422, "no-such-role", "The tenant's policy has no such role.");
  }
  if (auto answer = check_purposes(tenant, *wanted)) return std::move(*answer);
  if (operators_.find(name)) {
    return admin_problem(409, "refused", "There is an operator of that name already.");
  }
  if (auto answer = ask_second(who, tenant, members,
                               "add " + std::string(type) + " " + name + " with the role " + role +
                                   credential_words(members))) {
    return std::move(*answer);
  }
  return act({who, tenant, std::string(members.text("reason")), name,
              "add " + std::string(type) + " with the role " + role, [&]() -> Result<std::string> {
                auto made = operators_.make(name, role, tenant);
                if (!made) return made.error();
                made->kept.person = person;
                if (person) {
                  made->kept.credentials.clear();
                } else {
                  wanted->hash = made->kept.credentials.front().hash;
                  made->kept.credentials.front() = *wanted;
                }
                if (auto status = operators_.keep({made->kept}); !status) return status.error();
                std::string out = "{\"operator\":" + json_of(made->kept);
                out.reserve(out.size() + kCredentialRoom);
                if (!person)
                  append_text_member("credential", crypto::as_text(made->credential.bytes()), out);
                return out + "}";
              }});
}

AdminResponse OperatorsApi::enrol(const Operator& who, const std::string& name,
                                  const BodyMembers& members) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  if (!one->person) {
    return admin_problem(409, "refused", "A program has credentials and no pass-phrase.");
  }
  if (auto answer = ask_second(who, one->tenant, members, "invite " + name)) {
    return std::move(*answer);
  }
  const crypto::SecretBytes code = new_credential("pvenrol_");
  Enrolment made;
  made.code_hash = crypto::sha256(code.bytes());
  made.expires = operators_.now() + kEnrolmentLife;
  crypto::random_bytes(made.secret);
  return act({who, one->tenant, std::string(members.text("reason")), name, "invite",
              [&]() -> Result<std::string> {
                auto status = operators_.change(name, [&](OperatorRecord& kept) -> Status {
                  if (kept.revoked) {
                    return Error(ErrorKind::refused, "This operator is revoked, for good.");
                  }
                  kept.enrolment = made;
                  return {};
                });
                if (!status) return status.error();
                std::string out = "{";
                out.reserve(2 * kCredentialRoom);
                append_text_member("operator", name, out);
                append_text_member("code", crypto::as_text(code.bytes()), out);
                append_text_member("expires", utc_text(made.expires), out);
                return out + "}";
              }});
}

AdminResponse OperatorsApi::unlock(const Operator& who, const std::string& name,
                                   const BodyMembers& members) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  return act({who, one->tenant, std::string(members.text("reason")), name, "unlock",
              [&]() -> Result<std::string> {
                auto status = operators_.change(name, [&](OperatorRecord& kept) -> Status {
                  kept.attempts.failures = 0;
                  kept.attempts.locked_until = WallTime();
                  return {};
                });
                if (!status) return status.error();
                return "{\"operator\":" + json_of(*operators_.find(name)) + "}";
              }});
}

AdminResponse OperatorsApi::revoke(const Operator& who, const std::string& name,
                                   const BodyMembers& members) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  const WallTime now = operators_.now();
  return act({who, one->tenant, std::string(members.text("reason")), name, "revoke",
              [&]() -> Result<std::string> {
                auto status = operators_.change(name, [&](OperatorRecord& kept) -> Status {
                  if (!kept.revoked) kept.revoked = now;
                  kept.credentials.clear();
                  kept.passphrase.reset();
                  kept.enrolment.reset();
                  return {};
                });
                if (!status) return status.error();
                return "{\"operator\":" + json_of(*operators_.find(name)) + "}";
              }});
}

}  // namespace paravent::proxy::admin
