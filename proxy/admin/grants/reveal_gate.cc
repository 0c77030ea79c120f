#include "proxy/admin/grants/reveal_gate.h"

#include <algorithm>
#include <set>
#include <utility>

#include "proxy/admin/asked.h"
#include "proxy/admin/grants/case_steps.h"
#include "proxy/admin/grants/two_people.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;

// Whether something of the value will be seen.
bool shows(const Asked& asked) {
  return asked.grant && asked.grant->level() != reveal::RevealLevel::replaced;
}

crypto::audit::Hash digest_of(const Asked& asked) {
  return asked.token ? reveal::token_digest(*asked.token) : reveal::token_digest(*asked.bare);
}

SubjectKey subject_of(const Asked& asked) {
  const auto& subject = asked.described->description().subject;
  return subject ? *subject : digest_of(asked);
}

std::vector<SubjectKey> subjects_of(std::span<Asked* const> asked) {
  std::vector<SubjectKey> subjects;
  for (const Asked* one : asked) {
    if (shows(*one)) subjects.push_back(subject_of(*one));
  }
  return subjects;
}

template <typename Items, typename Item>
bool names(const Items& items, const Item& item) {
  return std::any_of(items.begin(), items.end(),
                     [&](const auto& known) { return known.value == item; });
}

AdminResponse retry_at(AdminResponse response, crypto::WallTime now, crypto::WallTime until) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(until - now).count();
  response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(wait, 1)));
  return response;
}

}  // namespace

AdminResponse RevealGate::no_record() {
  return admin_problem(503, "audit-unavailable",
                       "The audit log cannot be written; nothing was re-identified.");
}

// Names every token: what is refused whole is on record whole.
std::optional<AdminResponse> RevealGate::refuse(std::uint16_t status, std::string_view reason,
                                                std::string_view detail, std::string_view object,
                                                std::string remark, std::span<Asked* const> asked) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::refusal;
  entry.outcome = audit::Outcome::refused;
  name_operator(question_.who, entry.detail);
  entry.detail.purpose = question_.purpose.substr(0, 256);
  entry.detail.reason = question_.reason;
  entry.detail.object = object;
  entry.detail.remark = std::move(remark);
  std::vector<audit::AuditToken> tokens;
  for (const Asked* one : asked) {
    if (one->token || one->bare) {
      const std::uint32_t key = one->token ? one->token->key_id : one->bare->key_id;
      tokens.push_back({key, digest_of(*one)});
    }
    tokens.insert(tokens.end(), one->perhaps.begin(), one->perhaps.end());
  }
  auto entries = entries_naming(entry, tokens);
  // One alarm, however many entries: from it a cooling-off is read back.
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (object == BudgetLedger::kAlarmObject) entries[i].detail.object.clear();
  }
  if (!log_.append_all(entries)) return no_record();
  return admin_problem(status, reason, detail);
}

std::optional<AdminResponse> RevealGate::pass(std::span<Asked* const> asked) {
  if (!question_.grant.empty()) {
    if (auto answer = find_case()) {
      if (answer->status != 403) return answer;
      return refuse(403, "grant", "This grant does not cover the request.", "", "grant", asked);
    }
    return charge_case(asked);
  }
  const policies::FourEyes* terms = rules_.four_eyes(question_.who.tenant);
  if (terms == nullptr) return charge_budget(asked);
  if (names(terms->purposes, question_.purpose)) {
    return refuse(403, "four-eyes", "This purpose needs a grant that somebody else approved.", "",
                  "four-eyes", asked);
  }
  for (Asked* one : asked) {
    if (!shows(*one) || !needs_two(*one)) continue;
    one->grant.reset();
    one->status = AskedStatus::refused;
    one->because = "four-eyes";
  }
  return charge_budget(asked);
}

bool RevealGate::needs_two(const Asked& asked) const {
  const policies::FourEyes* terms = rules_.four_eyes(question_.who.tenant);
  return terms != nullptr && names(terms->kinds, asked.described->description().kind);
}

std::optional<AdminResponse> RevealGate::charge_budget(std::span<Asked* const> asked) {
  const policies::Role* role = rules_.role(question_.who.tenant, question_.who.role);
  if (role == nullptr) return std::nullopt;  // nothing was granted
  const policies::FourEyes* terms = rules_.four_eyes(question_.who.tenant);
  Limits limits{role->budget, role->budget_together, std::nullopt};
  if (terms != nullptr && terms->subjects) limits.alone = terms->subjects->value;
  if (!limits.own.is_limited() && !limits.together.is_limited() && !limits.alone) {
    return std::nullopt;
  }
  const std::vector<SubjectKey> subjects = subjects_of(asked);
  if (subjects.empty()) return std::nullopt;
  const Account account{question_.who.tenant, question_.who.name, question_.who.role};
  auto charge = ledger_.charge(log_, account, Counted::reveal, limits, subjects, now_);
  if (!charge) return no_record();
  under_way_ = std::move(charge->under_way);
  const auto& overrun = charge->overrun;
  if (!overrun) return std::nullopt;
  if (overrun->alone) {
    return refuse(403, "four-eyes",
                  "So many people in one day need a grant that somebody else approved.", "",
                  "four-eyes", asked);
  }
  auto answer =
      refuse(429, "budget", "This goes beyond the budget of your role; nothing was re-identified.",
             overrun->alarm ? BudgetLedger::kAlarmObject : std::string_view(),
             BudgetLedger::alarm_remark(Counted::reveal, *overrun), asked);
  if (answer->status != 429) return answer;
  return retry_at(std::move(*answer), now_, overrun->until);
}

// 403: whatever is wrong with it, one answer.
std::optional<AdminResponse> RevealGate::find_case() {
  const auto refused = [] { return admin_problem(403, "grant", ""); };
  const auto id = id_from_hex(question_.grant);
  if (!id) return refused();
  auto present = ledger_.present(log_, question_.who.tenant, now_);
  if (!present) return no_record();
  use_.emplace(operators_.cases().use());
  const Case* found = use_->find(*id);
  if (found == nullptr || found->tenant != question_.who.tenant) return refused();
  if (close_if_over(*found, *present, *use_)) found = use_->find(*id);
  if (found->type != CaseType::reveal || found->state != CaseState::approved ||
      is_over(*found, *present) || found->requester != question_.who.name ||
      found->requester_role != question_.who.role || found->purpose != question_.purpose) {
    return refused();
  }
  // Who is whom may have become known, or been forgotten, since it was approved.
  if (two_people(rules_, operators_, found->tenant, found->requester, found->approver) !=
      TwoPeople::yes) {
    return refused();
  }
  case_ = *found;
  return std::nullopt;
}

bool RevealGate::in_case(const Asked& asked) const {
  const auto& tokens = case_->tokens;
  if (!tokens.empty() &&
      std::find(tokens.begin(), tokens.end(), digest_of(asked)) == tokens.end()) {
    return false;
  }
  if (case_->fields.empty()) return true;
  const auto fields = rules_.fields(question_.purpose, asked.described->description());
  return std::any_of(fields.begin(), fields.end(), [&](const std::string& field) {
    return std::find(case_->fields.begin(), case_->fields.end(), field) != case_->fields.end();
  });
}

std::optional<AdminResponse> RevealGate::charge_case(std::span<Asked* const> asked) {
  std::set<SubjectKey> subjects(case_->subjects.begin(), case_->subjects.end());
  std::uint64_t values = case_->values;
  for (Asked* one : asked) {
    if (!shows(*one)) continue;
    if (!in_case(*one)) {
      one->grant.reset();
      one->status = AskedStatus::refused;
      one->because = "not-in-grant";
      continue;
    }
    if (subjects.insert(subject_of(*one)).second) case_->subjects.push_back(subject_of(*one));
    ++values;
  }
  if (subjects.size() > case_->most_subjects || values > case_->most_values) {
    return refuse(403, "grant", "This goes beyond what was approved; nothing was re-identified.",
                  std::string(BudgetLedger::kCasePrefix) + question_.grant, "quota", asked);
  }
  case_->values = static_cast<std::uint32_t>(values);
  return std::nullopt;
}

void RevealGate::mark(audit::AuditEntry& entry) const {
  if (case_) entry.detail.object = std::string(BudgetLedger::kCasePrefix) + question_.grant;
}

std::optional<AdminResponse> RevealGate::recorded(std::span<Asked* const> asked,
                                                  std::span<const audit::AuditReceipt> receipts) {
  under_way_.end();
  if (!case_) return std::nullopt;
  bool revealed = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!shows(*asked[i])) continue;
    const std::uint64_t index = receipts[i].index();
    LogRange& last = case_->entries.back();
    if (std::exchange(revealed, true) && index == last.first + last.count) {
      ++last.count;
    } else {
      case_->entries.push_back({index, 1});
    }
  }
  if (!revealed) return std::nullopt;
  if (case_->values >= case_->most_values) case_->state = CaseState::closed;
  if (!use_->keep(*case_)) {
    return admin_problem(503, "store-unavailable",
                         "The grant's quota cannot be written; nothing was re-identified.");
  }
  return std::nullopt;
}

}  // namespace paravent::proxy::admin
