#include "proxy/admin/subjects/subject_export.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/admin/asked.h"
#include "proxy/admin/grants/reveal_gate.h"
#include "proxy/admin/subjects/subject_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;
using crypto::vault::SubjectInfo;
using crypto::vault::SubjectPurpose;

// A token that the role may see for one of the subject's purposes.
struct Exported {
  Asked asked;
  std::string purpose;
};

std::vector<Exported> decide_all(const AdminParts& parts, const reveal::Principal& principal,
                                 const SubjectInfo& subject,
                                 const std::vector<std::string>& tokens) {
  std::vector<Exported> all;
  crypto::vault::KeyMemo memo;
  for (const SubjectPurpose& purpose : subject.purposes) {
    if (!parts.access->admits(principal, purpose.name)) continue;
    const Decider decider(parts, principal, purpose.name, memo);
    for (const std::string& text : tokens) {
      Asked asked = decider.token(text);
      if (asked.grant) all.push_back({std::move(asked), purpose.name});
    }
  }
  return all;
}

// Budgets hold for an export too, and what needs two people is not in it. `counted`: to be kept
// until the rest is on record.
std::optional<AdminResponse> guard_export(const SubjectCall& call, BudgetLedger& ledger,
                                          std::vector<Exported>& all,
                                          std::vector<UnderWay>& counted) {
  const AdminParts& parts = call.parts;
  std::vector<std::string> purposes;
  for (const Exported& one : all) {
    if (std::find(purposes.begin(), purposes.end(), one.purpose) == purposes.end()) {
      purposes.push_back(one.purpose);
    }
  }
  for (const std::string& purpose : purposes) {
    std::vector<Asked*> asked;
    for (Exported& one : all) {
      if (one.purpose == purpose) asked.push_back(&one.asked);
    }
    RevealGate gate(parts.access->rules(), ledger, parts.operators, call.log,
                    {call.who, purpose, call.request.reason, {}}, parts.operators.now());
    if (auto refusal = gate.pass(asked)) return refusal;
    counted.push_back(gate.take_under_way());
  }
  std::erase_if(all, [](const Exported& one) { return !one.asked.grant; });
  return std::nullopt;
}

}  // namespace

std::optional<AdminResponse> export_values(const SubjectCall& call, const MeantSubjects& meant,
                                           BudgetLedger& ledger, ReidentificationCounters& counters,
                                           std::string& out) {
  const auto kept = call.parts.subjects.tokens(meant.subjects.front().id);
  if (!kept) return no_store();
  std::vector<std::string> tokens;
  for (const auto& token : *kept) tokens.push_back(token.text);
  // Encrypted values are with the recipients: whoever hands them in gets them back too.
  for (std::size_t i = 0; i < call.request.tokens.size(); ++i) {
    const auto token = crypto::parse_token(crypto::strip_email_shape(call.request.tokens[i]));
    const std::string text = token ? token->text : call.request.tokens[i];
    if (meant.by_token[i] && std::find(tokens.begin(), tokens.end(), text) == tokens.end()) {
      tokens.push_back(text);
    }
  }
  std::vector<Exported> all =
      decide_all(call.parts, call.principal, meant.subjects.front(), tokens);
  std::vector<UnderWay> counted;
  if (auto refusal = guard_export(call, ledger, all, counted)) {
    return refusal;
  }
  std::vector<audit::AuditEntry> reveals;
  for (const Exported& one : all) {
    reveals.push_back(one.asked.grant->audit_entry(call.request.reason));
    reveals.back().detail.credential = call.who.credential;
  }
  auto receipts = call.log.append_all(reveals);
  if (!receipts) return audit_unavailable();
  counted.clear();
  std::size_t size = out.size() + 64;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Asked& asked = all[i].asked;
    auto value = call.parts.reidentifier.reidentify(*asked.token, std::move(*asked.grant),
                                                    std::move((*receipts)[i]));
    counters.add(call.who.role, all[i].purpose, value ? "exported" : "unavailable");
    if (!value) continue;
    size += 2 * value->size() + asked.text.size() + 512;
    asked.value.emplace(std::move(*value));
  }
  out.reserve(size);  // growing would leave copies of values behind
  out.append(",\"values\":[");
  bool first = true;
  for (const Exported& one : all) {
    if (!one.asked.value) continue;
    if (!std::exchange(first, false)) out.push_back(',');
    append_value(one.asked, one.purpose, *call.parts.access, call.principal, out);
  }
  out.push_back(']');
  return std::nullopt;
}

}  // namespace paravent::proxy::admin
