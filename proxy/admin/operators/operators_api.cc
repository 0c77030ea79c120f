// Longer than the house likes: one door with its changes, each a record and an edit of the list.

#include "proxy/admin/operators/operators_api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/primitives/random.h"
#include "crypto/tokens/normaliser.h"
#include "policies/model/period.h"
#include "policies/model/yaml_reader.h"
#include "proxy/admin/grants/case_steps.h"
#include "proxy/admin/grants/two_people.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/operators/operator_json.h"
#include "proxy/admin/page.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::WallTime;
using crypto::vault::Id;

constexpr std::array<MemberRule, 8> kAddRules{{{"name", MemberType::text, 32},
                                               {"role", MemberType::text, 64},
                                               {"type", MemberType::text, 16},
                                               {"tenant", MemberType::text, 64},
                                               {"expires", MemberType::text, 16},
                                               {"purposes", MemberType::list, kMaxScopeWords},
                                               {"paths", MemberType::list, kMaxScopeWords},
                                               {"grant", MemberType::text, 32}}};
constexpr std::array<std::string_view, 16> kScopePaths{
    "reidentify", "protect", "subjects", "keys",  "rewrap", "tenants", "holds",  "operators",
    "grants",     "audit",   "policy",   "store", "backup", "metrics", "unseal", "seal"};
// Room for a credential, so that growing leaves no copies of it behind.
constexpr std::size_t kCredentialRoom = 256;
constexpr auto kEnrolmentLife = std::chrono::hours(72);

AdminResponse malformed(const Error& error) {
  return admin_problem(400, "malformed-body", error.sentence());
}

AdminResponse no_such_operator() {
  return admin_problem(404, "no-such-operator", "There is no operator of that name.");
}

Result<BodyMembers> members_with_reason(std::string_view body, std::vector<MemberRule> rules) {
  rules.push_back({"reason", MemberType::text, 1000});
  auto members = read_body_members(body.empty() ? "{}" : body, rules);
  if (!members) return members.error();
  if (crypto::trim(members->text("reason")).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  return members;
}

// What a credential is to be, the same words each time.
std::string words_of(const BodyMembers& members) {
  std::string out;
  if (const std::string_view period = members.text("expires"); !period.empty()) {
    out.append(", ends after ").append(period);
  }
  for (const char* list : {"purposes", "paths"}) {
    for (const std::string& word : members.list(list)) out += ", " + std::string(list) + " " + word;
  }
  return out;
}

}  // namespace

// One change: what is recorded, and what then happens.
struct OperatorsApi::Act {
  const Operator& who;
  Id tenant{};  // whose log
  std::string reason;
  std::string object;  // the other operator's name
  std::string remark;
  std::function<Result<std::string>()> work;  // the answer, or what went wrong
};

AdminResponse OperatorsApi::act(const Act& act) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::operator_change;
  name_operator(act.who, entry.detail);
  entry.detail.reason = act.reason;
  entry.detail.object = act.object;
  entry.detail.remark = act.remark;
  audit::AuditLog* of_tenant = logs_.tenant(act.tenant);
  audit::AuditLog& log = of_tenant != nullptr ? *of_tenant : logs_.installation();
  if (!log.append(entry)) {
    return audit_unavailable();
  }
  auto done = act.work();
  if (done) {
    AdminResponse response;
    response.body.reserve(done->size() + 1);
    response.body.append(*done).append("\n");
    crypto::wipe(*done);  // it may hold a credential
    return response;
  }
  entry.outcome = audit::Outcome::failed;
  std::ignore = log.append(entry);
  const Error& error = done.error();
  if (error.kind() == ErrorKind::refused) {
    return error.sentence().empty() ? no_such_operator()
                                    : admin_problem(409, "refused", error.sentence());
  }
  if (error.kind() == ErrorKind::usage) return admin_problem(409, "refused", error.sentence());
  return admin_problem(503, "store-unavailable", "The list of operators cannot be written.");
}

std::optional<AdminResponse> OperatorsApi::ask_second(const Operator& who, const Id& tenant,
                                                      const BodyMembers& members,
                                                      const std::string& what) {
  const auto access = access_();
  const policies::FourEyes* terms = access->rules().four_eyes(tenant);
  if (terms == nullptr) return std::nullopt;
  // Somebody has to be the first who can approve. Revoked ones count, so that revoking them is no
  // way back here; and so do those who come by another issuer.
  const auto kept = operators_.list();
  const bool anybody = std::any_of(kept.begin(), kept.end(), [&](const OperatorRecord& one) {
    return one.tenant == tenant &&
           std::any_of(terms->approve.begin(), terms->approve.end(),
                       [&](const auto& role) { return role.value == one.role; });
  });
  const bool by_issuer =
      std::any_of(terms->approve.begin(), terms->approve.end(),
                  [&](const auto& role) { return access->rules().oidc_gives(tenant, role.value); });
  if (!anybody && !by_issuer) return std::nullopt;
  audit::AuditLog* of_tenant = logs_.tenant(tenant);
  audit::AuditLog& log = of_tenant != nullptr ? *of_tenant : logs_.installation();
  const ChangeRequest request{who.name, who.role, tenant, what,
                              std::string(members.text("reason"))};
  const WallTime now = operators_.now();
  if (members.text("grant").empty()) return open_change(request, now, operators_.cases(), log);
  const auto still_two = [&](const Case& one) {
    return two_people(access->rules(), operators_, tenant, one.requester, one.approver) ==
           TwoPeople::yes;
  };
  const auto used =
      use_change(request, members.text("grant"), still_two, now, operators_.cases(), log);
  if (!used) {
    return admin_problem(503, "audit-unavailable",
                         "The audit log or the grant cannot be written; nothing was done.");
  }
  if (*used) return std::nullopt;
  return admin_problem(403, "grant", "This grant is not approved for exactly this change.");
}

Id OperatorsApi::tenant_named(std::string_view name, const Operator& who) const {
  if (name.empty()) return who.tenant;
  if (policies_ == nullptr) return crypto::vault::kNoId;
  for (const ServedPolicy& policy : policies_->policies()) {
    if (policy.tenant_name == name) return policy.tenant;
  }
  return crypto::vault::kNoId;
}

std::string OperatorsApi::tenant_text(const Id& tenant) const {
  if (tenant == crypto::vault::kNoId) return {};
  if (policies_ != nullptr) {
    for (const ServedPolicy& policy : policies_->policies()) {
      if (policy.tenant == tenant) return policy.tenant_name;
    }
  }
  return crypto::vault::id_hex(tenant);
}

std::string OperatorsApi::json_of(const OperatorRecord& one) const {
  return operator_json(one, tenant_text(one.tenant), operators_.now());
}

AdminResponse OperatorsApi::list(const AdminRequest& request) const {
  const auto all = operators_.list();
  auto page = page_of(request.query);
  if (!page) return admin_problem(400, "malformed-body", page.error().sentence());
  if (request.query.empty()) page->count = all.size();
  // In the order in which they were made; nobody leaves the list, so that a name has its place.
  const auto last = std::find_if(all.begin(), all.end(), [&page](const OperatorRecord& one) {
    return one.name == page->after;
  });
  if (!page->after.empty() && last == all.end()) {
    return admin_problem(400, "malformed-body", kNoSuchPlace);
  }
  const auto paged = page_in<OperatorRecord>(
      all, *page, [](const OperatorRecord& one) { return one.name; },
      [&](const OperatorRecord& one) { return &one > &*last; });
  std::string out = "{\"operators\":[";
  bool first = true;
  for (const OperatorRecord& one : paged.items) {
    out.append(std::exchange(first, false) ? "" : ",").append(json_of(one));
  }
  return {200, "application/json", out + end_of_page(paged.next)};
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

AdminResponse OperatorsApi::add(const BodyMembers& members, const Operator& who) {
  const std::string name(members.text("name"));
  const std::string role(members.text("role"));
  const std::string_view type = members.text("type");
  if (!is_operator_name(name) || !is_role_name(role)) {
    return admin_problem(400, "malformed-body",
                         "name: 1 to 32 lower-case letters, digits and hyphens; role: one of the "
                         "policy's.");
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
  if (operators_.find(name)) {
    return admin_problem(409, "refused", "There is an operator of that name already.");
  }
  if (auto answer = ask_second(
          who, tenant, members,
          "add " + std::string(type) + " " + name + " with the role " + role + words_of(members))) {
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

AdminResponse OperatorsApi::add_credential(const BodyMembers& members, const Operator& who,
                                           const std::string& name) {
  const auto one = operators_.find(name);
  if (!one) return no_such_operator();
  auto wanted = credential_of(members);
  if (!wanted) return malformed(wanted.error());
  if (auto answer =
          ask_second(who, one->tenant, members, "credential for " + name + words_of(members))) {
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

AdminResponse OperatorsApi::handle(const AdminRequest& request, const Operator& who) {
  constexpr std::string_view kBase = "/v1/operators";
  if (request.method == "GET") return list(request);
  std::string_view rest = request.path;
  rest.remove_prefix(kBase.size());
  const std::vector<MemberRule> all(kAddRules.begin(), kAddRules.end());
  if (rest.empty()) {
    auto members = members_with_reason(request.body, all);
    return members ? add(*members, who) : malformed(members.error());
  }
  rest.remove_prefix(1);
  const std::string name(rest.substr(0, rest.find('/')));
  rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  if (rest == "invite") {
    auto members = members_with_reason(request.body, {all.back()});
    return members ? enrol(who, name, *members) : malformed(members.error());
  }
  if (rest == "credentials") {
    auto members = members_with_reason(request.body, {all.begin() + 4, all.end()});
    return members ? add_credential(*members, who, name) : malformed(members.error());
  }
  auto members = members_with_reason(request.body, {});
  if (!members) return malformed(members.error());
  if (rest == "revoke") return revoke(who, name, *members);
  if (rest == "unlock") return unlock(who, name, *members);
  constexpr std::string_view kCredentials = "credentials/";
  constexpr std::string_view kRevoke = "/revoke";
  if (rest.starts_with(kCredentials) && rest.ends_with(kRevoke) &&
      rest.size() > kCredentials.size() + kRevoke.size()) {
    rest.remove_prefix(kCredentials.size());
    rest.remove_suffix(kRevoke.size());
    return revoke_credential(who, name, rest, *members);
  }
  return admin_problem(404, "no-route", "There is no such path.");
}

}  // namespace paravent::proxy::admin
