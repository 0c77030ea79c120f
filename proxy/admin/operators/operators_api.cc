#include "proxy/admin/operators/operators_api.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/grants/case_steps.h"
#include "proxy/admin/grants/two_people.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/operators/operator_json.h"
#include "proxy/admin/operators/operators_act.h"
#include "proxy/admin/page.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
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
Result<BodyMembers> members_with_reason(std::string_view body, std::vector<MemberRule> rules) {
  rules.push_back({"reason", MemberType::text, 1000});
  auto members = read_body_members(body.empty() ? "{}" : body, rules);
  if (!members) return members.error();
  if (crypto::trim(members->text("reason")).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  return members;
}

}  // namespace

AdminResponse OperatorsApi::act(const Act& act) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::operator_change;
  name_operator(act.who, entry.detail);
  entry.detail.reason = act.reason;
  entry.detail.object = act.object;
  entry.detail.remark = act.remark;
  audit::AuditLog& log = logs_.tenant_or_installation(act.tenant);
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
  audit::AuditLog& log = logs_.tenant_or_installation(tenant);
  const ChangeRequest request{
      who.name, who.role, tenant, what, std::string(members.text("reason")), who.credential};
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
