// /v1/grants: cases of re-identification, opened by one operator and approved by another.

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/asked.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/grants/case_record.h"
#include "proxy/admin/grants/case_steps.h"
#include "proxy/admin/grants/reveal_gate.h"
#include "proxy/admin/grants/two_people.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/no_policy.h"
#include "proxy/admin/operators/scope.h"
#include "proxy/admin/page.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::WallTime;

constexpr std::array<MemberRule, 8> kOpenRules{{{"purpose", MemberType::text, 64},
                                                {"basis", MemberType::text, 32},
                                                {"reason", MemberType::text, 1000},
                                                {"fields", MemberType::list, kMaxCaseFields},
                                                {"tokens", MemberType::list, kMaxCaseTokens},
                                                {"subjects", MemberType::number, kMaxCaseSubjects},
                                                {"values", MemberType::number, kMaxCaseValues},
                                                {"hours", MemberType::number, kMaxCaseHours}}};
constexpr std::array<MemberRule, 1> kStepRules{{{"reason", MemberType::text, 1000}}};
// Of one operator, that nobody has decided about: cases are kept in memory, and for good.
constexpr std::size_t kMostUndecided = 100;
constexpr auto kUndecidedFor = std::chrono::hours(24);
constexpr std::array<std::string_view, 6> kBases{"consent",          "contract",
                                                 "legal-obligation", "vital-interests",
                                                 "public-task",      "legitimate-interest"};

AdminResponse malformed(std::string_view sentence) {
  return admin_problem(400, "malformed-body", sentence);
}

AdminResponse no_store() {
  return admin_problem(503, "store-unavailable", "The grant cannot be written.");
}

AdminResponse no_such_grant() {
  return admin_problem(404, "no-such-grant", "There is no such grant.");
}

audit::AuditEntry entry_of(const Operator& who, const Case& one, std::string_view reason,
                           std::string_view remark) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::grant_change;
  name_operator(who, entry.detail);
  entry.detail.purpose = one.purpose;
  entry.detail.reason = reason;
  entry.detail.object = std::string(BudgetLedger::kCasePrefix) + crypto::vault::id_hex(one.id);
  entry.detail.remark = remark;
  return entry;
}

// On the record, then in the file, then in force.
AdminResponse step(audit::AuditLog& log, Cases::Use& use, Case next, const Operator& who,
                   std::string_view reason, std::string_view remark) {
  const auto receipt = log.append(entry_of(who, next, reason, remark));
  if (!receipt) return audit_unavailable();
  next.entries.push_back({receipt->index(), 1});
  if (!use.keep(next)) return no_store();
  return {200, "application/json", case_json(next, reason_of(next, log)) + "\n"};
}

// Taking one back, or letting it run out, makes room for another only after a day.
bool has_too_many(const Cases::Use& use, const Operator& who, WallTime now) {
  std::size_t undecided = 0;
  for (const Case* one : use.all()) {
    if (one->type != CaseType::reveal || one->tenant != who.tenant || one->requester != who.name ||
        !one->approver.empty()) {
      continue;
    }
    const bool open = one->state == CaseState::open && !is_over(*one, now);
    if (open || now < one->opened + kUndecidedFor) ++undecided;
  }
  return undecided >= kMostUndecided;
}

// Without the lock over all cases: what the log says of this one may take its time.
AdminResponse shown(const Case& one, bool whole_record, std::string_view query,
                    const audit::AuditLog& log) {
  if (!whole_record) return {200, "application/json", case_json(one, reason_of(one, log)) + "\n"};
  if (one.state == CaseState::open || one.state == CaseState::approved) {
    return admin_problem(409, "grant-state", "The record is made when the grant is closed.");
  }
  const bool html = query == "format=html";
  if (!html && !query.empty()) return malformed("The query may only be format=html.");
  auto record = html ? case_record_html(one, log) : case_record_json(one, log);
  if (!record && record.error().kind() == ErrorKind::refused) {
    return admin_problem(400, "too-large",
                         "More than 20 000 entries; ask for dossiers of the operator, by periods.");
  }
  if (!record) return no_store();
  return {200, html ? "text/html; charset=utf-8" : "application/json", std::move(*record)};
}

std::string_view why_not(TwoPeople people) {
  switch (people) {
    case TwoPeople::yes:
      return "This role does not approve.";
    case TwoPeople::same_issuer:
      return "Two subjects of one issuer are not two people.";
    case TwoPeople::same_person:
      return "Whoever asks never approves, by another way neither.";
    case TwoPeople::unknown:
      return "Of one of the two nobody knows which person it is: the policy does not say "
             "(oidc: person), or names nobody who is an operator.";
  }
  return {};
}

bool approves(const policies::FourEyes* terms, std::string_view role) {
  return terms != nullptr && std::any_of(terms->approve.begin(), terms->approve.end(),
                                         [role](const auto& known) { return known.value == role; });
}

// What may be asked for, without the tokens.
Result<Case> case_of(const BodyMembers& members, const Operator& who, WallTime now) {
  if (crypto::trim(members.text("reason")).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  const std::string_view basis = members.text("basis");
  if (std::find(kBases.begin(), kBases.end(), basis) == kBases.end()) {
    return Error(ErrorKind::malformed,
                 "The member basis is the legal basis: consent, contract, legal-obligation, "
                 "vital-interests, public-task or legitimate-interest.");
  }
  const auto hours = members.number("hours").value_or(0);
  if (hours == 0) return Error(ErrorKind::malformed, "The member hours is 1 to 720.");
  Case made;
  made.id = crypto::vault::random_id();
  made.tenant = who.tenant;
  made.requester = who.name;
  made.requester_role = who.role;
  made.opened = now;
  made.expires = now + std::chrono::hours(hours);
  made.purpose = members.text("purpose");
  made.basis = basis;
  made.fields = members.list("fields");
  const std::size_t tokens = members.list("tokens").size();
  made.most_subjects =
      static_cast<std::uint32_t>(members.number("subjects").value_or(std::uint64_t{tokens}));
  made.most_values =
      static_cast<std::uint32_t>(members.number("values").value_or(std::uint64_t{tokens}));
  if (made.most_subjects == 0 || made.most_values == 0) {
    return Error(ErrorKind::malformed,
                 "Name the tokens, or how many subjects and values there may be.");
  }
  return made;
}

}  // namespace

AdminResponse AdminApi::open_grant(const AdminRequest& http, const Operator* who) {
  const AdminParts parts = current_parts();
  audit::AuditLog* log = parts.logs.tenant(who->tenant);
  if (log == nullptr) return no_policy(*who);
  const auto members = read_body_members(http.body, kOpenRules);
  if (!members) return malformed(members.error().sentence());
  auto made = case_of(*members, *who, parts.operators.now());
  if (!made) return malformed(made.error().sentence());
  // Whoever wants a case about a decoy asks for it.
  auto named = recorded_tokens(parts, who->tenant, members->list("tokens"));
  watch_for_honey(parts, *who, made->purpose, members->list("tokens"));
  if (auto closed = closed_for(http, *who)) return std::move(*closed);
  const auto principal = parts.authentication.authenticated(who->name, who->role, who->tenant);
  // Asked for it was, whatever the answer.
  const auto refused = [&](AdminResponse answer) {
    audit::AuditEntry entry = entry_of(*who, *made, members->text("reason"), "open");
    entry.outcome = audit::Outcome::refused;
    return log->append_all(entries_naming(entry, named)) ? std::move(answer) : audit_unavailable();
  };
  if (!allows_purpose(*who, made->purpose) || !parts.access->admits(principal, made->purpose)) {
    return refused(role_may_not(parts.access->rules().knows(who->tenant), *who,
                                "This role may not re-identify for this purpose."));
  }
  if (parts.access->rules().four_eyes(who->tenant) == nullptr) {
    return refused(
        admin_problem(422, "no-four-eyes", "The policy names nobody who could approve."));
  }
  for (const std::string& field : made->fields) {
    if (field.find('\n') != std::string::npos ||
        !parts.access->rules().has_field(who->tenant, made->purpose, field)) {
      return refused(
          admin_problem(422, "no-such-field", "The policy has no such field for this purpose."));
    }
  }
  crypto::vault::KeyMemo memo;
  const Decider decider(parts, principal, made->purpose, memo);
  audit::AuditEntry entry = entry_of(*who, *made, members->text("reason"), "open");
  for (const std::string& text : members->list("tokens")) {
    const Asked asked = decider.token(text);
    if (asked.status == AskedStatus::unreachable) {
      return refused(admin_problem(503, "store-unavailable", "The token store cannot be read."));
    }
    if (!asked.token) return refused(malformed("One of the tokens is none."));
    made->tokens.push_back(crypto::reveal::token_digest(*asked.token));
    entry.detail.tokens.push_back({asked.token->key_id, made->tokens.back()});
  }
  Cases::Use use = parts.operators.cases().use();
  if (has_too_many(use, *who, made->opened)) {
    return refused(
        admin_problem(409, "too-many-grants",
                      "Of your grants that are open or of the last 24 hours, 100 were neither "
                      "approved nor refused; wait."));
  }
  const auto receipt = log->append(entry);
  if (!receipt) return audit_unavailable();
  made->entries.push_back({receipt->index(), 1});
  if (!use.keep(*made)) return no_store();
  return {201, "application/json", case_json(*made, members->text("reason")) + "\n"};
}

AdminResponse AdminApi::list_grants(const AdminRequest& http, const Operator* who) {
  const auto page = page_of(http.query);
  if (!page) return malformed(page.error().sentence());
  const AdminParts parts = current_parts();
  audit::AuditLog* log = parts.logs.tenant(who->tenant);
  if (log == nullptr) return no_policy(*who);
  const auto present = ledger_.present(*log, who->tenant, parts.operators.now());
  if (!present) return audit_unavailable();
  const bool all = approves(parts.access->rules().four_eyes(who->tenant), who->role);
  Cases::Use use = parts.operators.cases().use();
  for (const Case* one : use.all()) {
    if (one->tenant == who->tenant) close_if_over(*one, *present, use);
  }
  std::vector<const Case*> mine;
  for (const Case* one : use.all()) {
    const bool theirs = one->tenant == who->tenant && (all || one->requester == who->name);
    if (theirs && allows_purpose(*who, one->purpose)) mine.push_back(one);
  }
  const auto comes_before = [](const Case* a, const Case* b) {
    return std::tie(a->opened, a->id) > std::tie(b->opened, b->id);
  };
  std::sort(mine.begin(), mine.end(), comes_before);
  // Also behind one that this operator has no part in any more.
  const auto after = id_from_hex(page->after);
  const Case* last = after ? use.find(*after) : nullptr;
  if (!page->after.empty() && (last == nullptr || last->tenant != who->tenant)) {
    return malformed(kNoSuchPlace);
  }
  const auto paged = page_in<const Case*>(
      mine, *page, [](const Case* one) { return crypto::vault::id_hex(one->id); },
      [&](const Case* one) { return comes_before(last, one); });
  std::string out = "{\"grants\":[";
  for (const Case* one : paged.items) {
    if (one != paged.items.front()) out.push_back(',');
    out += case_json(*one, reason_of(*one, *log));
  }
  return {200, "application/json", out + end_of_page(paged.next)};
}

AdminResponse AdminApi::one_grant(const AdminRequest& http, const Operator* who) {
  constexpr std::string_view kBase = "/v1/grants/";
  const AdminParts parts = current_parts();
  audit::AuditLog* log = parts.logs.tenant(who->tenant);
  if (log == nullptr) return no_policy(*who);
  std::string_view rest = std::string_view(http.path).substr(kBase.size());
  const auto id = id_from_hex(rest.substr(0, rest.find('/')));
  rest.remove_prefix(std::min(rest.size(), std::size_t{33}));
  const bool reads = http.method == "GET";
  if (reads ? !rest.empty() && rest != "record"
            : rest != "approve" && rest != "refuse" && rest != "close") {
    return admin_problem(404, "no-route", "There is no such path.");
  }
  const auto present = ledger_.present(*log, who->tenant, parts.operators.now());
  if (!present) return audit_unavailable();
  const bool may_approve = approves(parts.access->rules().four_eyes(who->tenant), who->role);
  std::optional<Cases::Use> held(parts.operators.cases().use());
  Cases::Use& use = *held;
  const Case* one = id ? use.find(*id) : nullptr;
  const bool mine = one != nullptr && one->requester == who->name;
  if (one == nullptr || one->tenant != who->tenant || (!mine && !may_approve)) {
    return no_such_grant();
  }
  if (!allows_purpose(*who, one->purpose)) {
    audit::AuditEntry entry = entry_of(*who, *one, {}, reads ? "read" : rest);
    entry.outcome = audit::Outcome::refused;
    if (!log->append(entry)) return audit_unavailable();
    return admin_problem(403, "refused", "This credential is for other purposes.");
  }
  if (close_if_over(*one, *present, use)) one = use.find(*id);
  const bool over = is_over(*one, *present);
  if (reads) {
    const Case found = *one;
    held.reset();
    return shown(found, !rest.empty(), http.query, *log);
  }
  const auto members = read_body_members(http.body.empty() ? "{}" : http.body, kStepRules);
  if (!members) return malformed(members.error().sentence());
  const std::string_view reason = members->text("reason");
  if (crypto::trim(reason).empty()) {
    return malformed("The reason is missing; it goes on the record.");
  }
  Case next = *one;
  if (rest == "close") {
    if (over || (next.state != CaseState::open && next.state != CaseState::approved)) {
      return admin_problem(409, "grant-state", "The grant is closed already.");
    }
    next.state = CaseState::closed;
    return step(*log, use, std::move(next), *who, reason, "close");
  }
  const bool approve = rest == "approve";
  const TwoPeople people =
      two_people(parts.access->rules(), parts.operators, who->tenant, one->requester, who->name);
  if (mine || !may_approve || people != TwoPeople::yes) {
    audit::AuditEntry entry = entry_of(*who, next, reason, rest);
    entry.outcome = audit::Outcome::refused;
    if (!log->append(entry)) return audit_unavailable();
    return admin_problem(403, "refused",
                         mine           ? "Whoever asks never approves."
                         : !may_approve ? why_not(TwoPeople::yes)
                                        : why_not(people));
  }
  if (over || next.state != CaseState::open) {
    return admin_problem(409, "grant-state", "The grant is not open any more.");
  }
  next.state = approve ? CaseState::approved : CaseState::refused;
  next.approver = who->name;
  next.approver_role = who->role;
  return step(*log, use, std::move(next), *who, reason, rest);
}

}  // namespace paravent::proxy::admin
