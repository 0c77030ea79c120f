// GET /v1/oidc and POST /v1/oidc/revoke: the issuers as they are, and whom of theirs is shut out.

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/oidc/oidc_desk.h"
#include "proxy/admin/oidc/revocations.h"
#include "proxy/admin/operators/operator_json.h"
#include "proxy/admin/page.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

constexpr std::array<MemberRule, 3> kRevokeRules{{{"issuer", MemberType::text, 16},
                                                  {"subject", MemberType::text, kMostSubjectBytes},
                                                  {"reason", MemberType::text, 1000}}};

std::string issuer_json(const OidcIssuerState& state) {
  std::string out = "{";
  append_text_member("name", state.name, out);
  append_text_member("issuer", state.issuer, out);
  append_text_member("state", state.keys == 0 ? "no-keys" : state.stale ? "stale" : "ready", out);
  out.append(",\"keys\":").append(std::to_string(state.keys));
  out.append(",\"unusable_keys\":").append(std::to_string(state.unusable));
  if (state.age) out.append(",\"age_seconds\":").append(std::to_string(state.age->count()));
  out.append(",\"failures\":").append(std::to_string(state.failures));
  return out + "}";
}

std::string revoked_json(std::string_view name, crypto::WallTime at) {
  const std::size_t slash = name.find('/');
  std::string out = "{";
  append_text_member("operator", oidc_operator_name(name.substr(0, slash), name.substr(slash + 1)),
                     out);
  append_text_member("revoked", utc_text(at), out);
  return out + "}";
}

AdminResponse no_issuers() {
  return admin_problem(404, "no-route", "The gateway file names no issuer (operators.oidc).");
}

}  // namespace

// The page is one of the revoked subjects; issuers are few, and stand in front of each.
AdminResponse AdminApi::list_oidc(const AdminRequest& request, const Operator*) {
  if (parts_.oidc == nullptr) return no_issuers();
  using Revoked = std::pair<std::string, crypto::WallTime>;
  const auto list = parts_.operators.oidc_revocations().list();
  const std::vector<Revoked> all(list.begin(), list.end());
  Paged<Revoked> paged{all, {}};
  if (!request.query.empty()) {
    const auto page = page_of(request.query);
    if (!page) return admin_problem(400, "malformed-body", page.error().sentence());
    paged = page_in<Revoked>(all, *page, [](const Revoked& one) { return one.first; });
  }
  std::string out = "{\"issuers\":[";
  for (const OidcIssuerState& state : parts_.oidc->states()) {
    out.append(out.ends_with('[') ? "" : ",").append(issuer_json(state));
  }
  out += "],\"revoked\":[";
  for (const auto& [name, at] : paged.items) {
    out.append(out.ends_with('[') ? "" : ",").append(revoked_json(name, at));
  }
  return {200, "application/json", out + end_of_page(paged.next)};
}

// On the record of every tenant whose policy names the subject, else of the one who asks: where a
// role hangs on other claims, only the credential says whose it is.
AdminResponse AdminApi::revoke_oidc(const AdminRequest& request, const Operator* who) {
  const AdminParts parts = current_parts();
  if (parts.oidc == nullptr) return no_issuers();
  const auto members = read_body_members(request.body, kRevokeRules);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const std::string issuer(members->text("issuer"));
  const std::string subject(members->text("subject"));
  if (crypto::trim(members->text("reason")).empty()) {
    return admin_problem(400, "malformed-body", "The reason is missing; it goes on the record.");
  }
  if (!is_oidc_subject(subject)) {
    return admin_problem(400, "malformed-body",
                         "The subject is 1 to 128 printable characters, as sub of a credential.");
  }
  const auto states = parts.oidc->states();
  if (std::none_of(states.begin(), states.end(),
                   [&](const OidcIssuerState& state) { return state.name == issuer; })) {
    return admin_problem(404, "no-such-issuer", "The gateway file names no such issuer.");
  }
  audit::AuditEntry entry;
  entry.event = audit::EventKind::operator_change;
  name_operator(*who, entry.detail);
  entry.detail.reason = members->text("reason");
  entry.detail.object = oidc_operator_name(issuer, subject);
  entry.detail.remark = "revoke";
  auto tenants = parts.access->rules().tenants_of_oidc(issuer, subject);
  if (tenants.empty()) tenants.push_back(who->tenant);
  for (const crypto::vault::Id& tenant : tenants) {
    if (!parts.logs.tenant_or_installation(tenant).append(entry)) {
      return audit_unavailable();
    }
  }
  const std::string name = issuer + "/" + subject;
  const auto at = parts.operators.oidc_revocations().revoke(name, parts.operators.now());
  if (at) return {200, "application/json", revoked_json(name, *at) + "\n"};
  if (at.error().kind() == crypto::ErrorKind::usage) {
    return admin_problem(409, "refused", at.error().sentence());
  }
  return admin_problem(503, "store-unavailable", "The list of revoked subjects cannot be written.");
}

}  // namespace paravent::proxy::admin
