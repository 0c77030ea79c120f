// POST /v1/protect: values protected under a route's rules, as if they had come through its form.
// Whoever may do that can look values up in a dictionary: a right of its own, counted and on the
// record.

#include <array>
#include <utility>

#include "crypto/primitives/random.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/no_policy.h"
#include "proxy/admin/operators/scope.h"
#include "proxy/admin/protect_desk.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::ErrorKind;

constexpr std::size_t kMostValues = 100;
constexpr std::array<MemberRule, 3> kRules{{{"route", MemberType::text, 64},
                                            {"reason", MemberType::text, 1000},
                                            {"values", MemberType::map, kMostValues}}};

AdminResponse no_record() {
  return admin_problem(503, "audit-unavailable",
                       "The audit log cannot be written; nothing was protected.");
}

audit::AuditEntry entry_of(const Operator& who, const BodyMembers& members,
                           std::string_view purpose, audit::Outcome outcome, std::string remark) {
  audit::AuditEntry entry;
  entry.event =
      outcome == audit::Outcome::refused ? audit::EventKind::refusal : audit::EventKind::protect;
  entry.outcome = outcome;
  name_operator(who, entry.detail);
  entry.detail.purpose = purpose;
  entry.detail.reason = members.text("reason");
  entry.detail.object = members.text("route");
  entry.detail.remark = std::move(remark);
  return entry;
}

// Each value counts for itself: that two are equal is nobody's business here.
std::vector<SubjectKey> as_many_keys(std::size_t count) {
  std::vector<SubjectKey> keys(count);
  for (SubjectKey& key : keys) crypto::random_bytes(key);
  return keys;
}

// Why nothing came of it. Of the data path's refusal the reason alone: the field that it names may
// be one that only the asker knows.
std::string failure_of(const crypto::Error& error) {
  switch (error.kind()) {
    case ErrorKind::refused:
      return error.sentence().substr(0, error.sentence().find(' '));
    case ErrorKind::usage:
    case ErrorKind::malformed:
      return "malformed-body";
    case ErrorKind::sealed:
      return "sealed";
    default:
      return "store-unavailable";
  }
}

AdminResponse problem_of(const crypto::Error& error) {
  switch (error.kind()) {
    case ErrorKind::refused:
      return admin_problem(422, "not-protected",
                           "The route would refuse this: " + error.sentence() + ".");
    case ErrorKind::usage:
    case ErrorKind::malformed:
      return admin_problem(400, "malformed-body", error.sentence());
    case ErrorKind::sealed:
      return admin_problem(503, "sealed", "The keys of this route are not available.");
    default:
      return admin_problem(503, "store-unavailable", "The token store cannot be written.");
  }
}

}  // namespace

AdminResponse AdminApi::protect(const AdminRequest& http, const Operator* who) {
  const AdminParts parts = current_parts();
  if (parts.protect == nullptr) return admin_problem(404, "no-route", "There is no such path.");
  auto members = read_body_members(http.body, kRules);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto& values = members->maps["values"];
  if (members->text("route").empty() || values.empty()) {
    return admin_problem(400, "malformed-body", "A request has a route and at least one value.");
  }
  audit::AuditLog* log = parts.logs.tenant(who->tenant);
  if (log == nullptr) return no_policy(*who);
  const auto purpose = parts.protect->purpose_of(who->tenant, members->text("route"));
  const policies::Role* role = parts.access->rules().role(who->tenant, who->role);
  if (role == nullptr || !role->protect || (purpose && !allows_purpose(*who, *purpose))) {
    if (!log->append(
            entry_of(*who, *members, purpose.value_or(""), audit::Outcome::refused, "protect"))) {
      return no_record();
    }
    return role_may_not(parts.access->rules().knows(who->tenant), *who,
                        "This role may not have values protected.");
  }
  if (!purpose) return admin_problem(404, "no-such-route", "The policy has no such route.");
  const Account account{who->tenant, who->name, who->role};
  auto charge =
      ledger_.charge(*log, account, Counted::protect, {role->protect_budget, {}, std::nullopt},
                     as_many_keys(values.size()), parts.operators.now());
  if (!charge) return no_record();
  if (const auto& overrun = charge->overrun) {
    audit::AuditEntry entry = entry_of(*who, *members, *purpose, audit::Outcome::refused,
                                       BudgetLedger::alarm_remark(Counted::protect, *overrun));
    if (overrun->alarm) entry.detail.object = BudgetLedger::kAlarmObject;
    if (!log->append(entry)) return no_record();
    AdminResponse response = admin_problem(
        429, "budget", "This goes beyond the budget of your role; nothing was protected.");
    const auto wait =
        std::chrono::ceil<std::chrono::seconds>(overrun->until - parts.operators.now());
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return response;
  }
  auto made = parts.protect->protect(who->tenant, members->text("route"), values);
  const std::string count = std::to_string(values.size()) + " values";
  if (!made) {
    // A refusal answers too: who is known, and who has objected. So it is on record, and its values
    // are read back into the budget as any others are.
    audit::AuditEntry entry = entry_of(*who, *members, *purpose, audit::Outcome::failed,
                                       count + ": " + failure_of(made.error()));
    for (const SubjectKey& key : as_many_keys(values.size())) {
      entry.detail.tokens.push_back({0, key});
    }
    if (!log->append(entry)) return no_record();
    return problem_of(made.error());
  }
  audit::AuditEntry entry = entry_of(*who, *members, *purpose, audit::Outcome::done, count);
  for (const ProtectedField& field : *made) {
    const auto token =
        field.value ? crypto::parse_token(crypto::strip_email_shape(*field.value))
                    : crypto::Result<crypto::ParsedToken>(crypto::Error(ErrorKind::malformed));
    if (token) {
      entry.detail.tokens.push_back({token->key_id, crypto::reveal::token_digest(*token)});
    } else {
      // A text without a token: what counts is that there was one value more.
      entry.detail.tokens.push_back({0, as_many_keys(1).front()});
    }
  }
  if (!log->append(entry)) return no_record();
  charge->under_way.end();
  AdminResponse response;
  response.body = R"({"results":[)";
  for (std::size_t i = 0; i < made->size(); ++i) {
    const ProtectedField& field = (*made)[i];
    response.body.append(i > 0 ? R"(,{"field":)" : R"({"field":)");
    body::encode_json_string(field.field, response.body);
    response.body.append(R"(,"action":)");
    body::encode_json_string(field.action, response.body);
    if (field.value) {
      response.body.append(R"(,"value":)");
      body::encode_json_string(*field.value, response.body);
    }
    response.body.push_back('}');
  }
  response.body.append("]}\n");
  for (auto& [field, value] : members->maps["values"]) crypto::wipe(value);
  return response;
}

}  // namespace paravent::proxy::admin
