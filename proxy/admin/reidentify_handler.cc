// POST /v1/reidentify: the staircase of DESIGN 4 for a list of surrogates. No value is opened
// before the entries of all of them are durable.

#include <tuple>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/asked.h"
#include "proxy/admin/grants/reveal_gate.h"
#include "proxy/admin/hours_gate.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/no_policy.h"
#include "proxy/admin/operators/scope.h"
#include "proxy/admin/reidentify_request.h"
#include "proxy/body/json.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;

std::string_view status_text(AskedStatus status) {
  switch (status) {
    case AskedStatus::malformed:
      return "malformed";
    case AskedStatus::refused:
      return "refused";
    case AskedStatus::granted:
    case AskedStatus::unavailable:
    case AskedStatus::unreachable:
      return "unavailable";
  }
  return "unavailable";
}

std::string_view level_text(reveal::RevealLevel level) {
  switch (level) {
    case reveal::RevealLevel::clear:
      return "revealed";
    case reveal::RevealLevel::masked:
      return "masked";
    case reveal::RevealLevel::replaced:
      return "replaced";
  }
  return "replaced";
}

// An opened value without integrity is only ever unverified, however much of it is shown.
std::string_view outcome_text(const Asked& asked) {
  if (!asked.value) return status_text(asked.status);
  const bool shown = asked.level != reveal::RevealLevel::replaced;
  if (shown && (asked.guessable || !asked.described->description().verified)) return "unverified";
  return level_text(asked.level);
}

// Entry of a token that is not re-identified; nothing of an unreadable text goes into the log.
audit::AuditEntry refusal_entry(const Operator& who, const ReidentifyRequest& request,
                                const Asked& asked) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::refusal;
  entry.outcome = audit::Outcome::refused;
  name_operator(who, entry.detail);
  entry.detail.purpose = request.purpose.substr(0, 256);
  entry.detail.reason = request.reason;
  entry.detail.remark = status_text(asked.status);
  if (asked.token) {
    entry.detail.tokens.push_back({asked.token->key_id, reveal::token_digest(*asked.token)});
  } else if (asked.bare) {
    entry.detail.tokens.push_back({asked.bare->key_id, reveal::token_digest(*asked.bare)});
  } else {
    entry.detail.tokens = asked.perhaps;
  }
  return entry;
}

crypto::Result<crypto::SecretBytes> open(const reveal::Reidentifier& reidentifier, Asked& asked,
                                         audit::AuditReceipt receipt,
                                         crypto::vault::KeyMemo& memo) {
  reveal::Grant grant = std::move(*asked.grant);
  return asked.token
             ? reidentifier.reidentify(*asked.token, std::move(grant), std::move(receipt), memo)
             : reidentifier.reidentify(*asked.bare, std::move(grant), std::move(receipt));
}

void append_result(const Asked& asked, std::string_view purpose,
                   const policies::AccessPolicy& access, std::string& out) {
  out.append(R"({"token":)");
  body::encode_json_string(asked.text, out);
  if (!asked.field.empty()) {
    out.append(R"(,"field":)");
    body::encode_json_string(asked.field, out);
  }
  if (!asked.because.empty()) out.append(R"(,"because":")").append(asked.because).append("\"");
  const bool opened = asked.value.has_value();
  out.append(R"(,"status":")").append(outcome_text(asked)).append("\"");
  if (opened) {
    const auto& description = asked.described->description();
    out.append(R"(,"kind":")").append(crypto::kind_name(description.kind)).append("\"");
    out.append(R"(,"fields":[)");
    bool first = true;
    for (const std::string& field : access.fields(purpose, description)) {
      if (!std::exchange(first, false)) out.push_back(',');
      body::encode_json_string(field, out);
    }
    out.append("]");
    const std::string_view value = crypto::as_text(asked.value->bytes());
    out.append(R"(,"value":)");
    if (body::is_valid_utf8(value)) {
      body::encode_json_string(value, out);
    } else {
      // Bytes that protect-raw took as they came; JSON has no other way to carry them.
      out.push_back('"');
      crypto::append_base64(out, asked.value->bytes());
      out.append(R"(","encoding":"base64")");
    }
  }
  out.append("}");
}

}  // namespace

AdminResponse AdminApi::reidentify(const AdminRequest& http, const Operator* who) {
  auto parsed = parse_reidentify_request(http.body);
  if (!parsed) return admin_problem(400, "malformed-body", parsed.error().sentence());
  // Whatever becomes of it, and of lines however many are read: it was asked for.
  watch_for_honey(current_parts(), *who, parsed->purpose, parsed->tokens);
  if (wants_lines(http)) return reidentify_lines(http, std::move(*parsed), *who);
  return reidentify_part(*parsed, *who, ResultForm::object);
}

AdminResponse AdminApi::reidentify_part(const ReidentifyRequest& request, const Operator& asker,
                                        ResultForm form) {
  const AdminParts parts = current_parts();  // one policy from here to the end
  const Operator* who = &asker;
  const bool lines = form == ResultForm::lines;
  const reveal::Principal principal =
      parts.authentication.authenticated(who->name, who->role, who->tenant);
  audit::AuditLog* log = parts.logs.tenant(who->tenant);
  if (log == nullptr) return no_policy(*who);
  if (!allows_purpose(*who, request.purpose) || !parts.access->admits(principal, request.purpose)) {
    // A purpose that no policy knows is a client's own text: not for a label.
    counters_.add(who->role, "other", "barred");
    const auto refused = refusals_of(parts, *who, request, status_text(AskedStatus::refused));
    if (!log->append_batch(refused)) return RevealGate::no_record();
    return role_may_not(parts.access->rules().knows(who->tenant), *who,
                        "This role may not re-identify for this purpose.");
  }

  crypto::vault::KeyMemo memo;
  const Decider decider(parts, principal, request.purpose, memo);
  std::vector<Asked> all;
  all.reserve(request.tokens.size() + request.values.size());
  for (const std::string& text : request.tokens) all.push_back(decider.token(text));
  for (const AskedValue& value : request.values) all.push_back(decider.value(value));
  std::vector<Asked*> pointers;
  for (Asked& asked : all) {
    if (asked.status == AskedStatus::unreachable) {
      // Asked for it was, whatever cannot be read.
      std::ignore = log->append_batch(refusals_of(parts, *who, request, "store-unavailable"));
      return admin_problem(503, "store-unavailable", "The token store cannot be read.");
    }
    pointers.push_back(&asked);
  }
  // Whatever the tokens are: who asks at the wrong time gets one answer, and is on record with all.
  const auto closed = outside_hours(parts, *who);
  if (!closed) return RevealGate::no_record();
  if (*closed) {
    std::vector<audit::AuditEntry> refused;
    for (Asked& asked : all) {
      asked.grant.reset();
      if (asked.status == AskedStatus::granted) asked.status = AskedStatus::refused;
      refused.push_back(refusal_entry(*who, request, asked));
      refused.back().detail.remark = kHoursRemark;
      counters_.add(who->role, request.purpose, kHoursRemark);
    }
    if (!log->append_batch(refused)) return RevealGate::no_record();
    return hours_problem();
  }
  RevealGate gate(parts.access->rules(), ledger_, parts.operators, *log,
                  {*who, request.purpose, request.reason, request.grant}, parts.operators.now());
  if (auto refusal = gate.pass(pointers)) {
    for (std::size_t i = 0; i < all.size() && refusal->status != 503; ++i) {
      counters_.add(who->role, request.purpose, refusal->status == 429 ? "budget" : "four-eyes");
    }
    return std::move(*refusal);
  }
  std::vector<audit::AuditEntry> entries;
  entries.reserve(all.size());
  for (const Asked& asked : all) {
    entries.push_back(asked.grant ? asked.grant->audit_entry(request.reason)
                                  : refusal_entry(*who, request, asked));
    entries.back().detail.credential = who->credential;
    gate.mark(entries.back());
  }

  auto receipts = log->append_batch(entries);
  if (!receipts) return RevealGate::no_record();
  if (auto refusal = gate.recorded(pointers, *receipts)) return std::move(*refusal);
  std::size_t size = 64;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Asked& asked = all[i];
    if (asked.grant) {
      asked.level = asked.grant->level();
      auto value = open(parts.reidentifier, asked, std::move((*receipts)[i]), memo);
      if (value) {
        size += 2 * value->size();
        asked.value.emplace(std::move(*value));
      } else {
        asked.status = AskedStatus::unavailable;
      }
    }
    counters_.add(who->role, request.purpose, outcome_text(asked));
    size += asked.text.size() + asked.field.size() + 256;
  }

  AdminResponse response;
  response.body.reserve(size);  // growing would leave copies of values behind
  if (!lines) response.body.append(R"({"results":[)");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0 && !lines) response.body.push_back(',');
    append_result(all[i], request.purpose, *parts.access, response.body);
    if (lines) response.body.push_back('\n');
  }
  if (!lines) response.body.append("]}\n");
  return response;
}

}  // namespace paravent::proxy::admin
