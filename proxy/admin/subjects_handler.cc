// POST /v1/subjects/...: people's rights, exercised for them by a role that may. On the record
// before anything happens; no value in any answer but that of export.

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/keys/epoch.h"
#include "crypto/tokens/normaliser.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/asked.h"
#include "proxy/admin/grants/reveal_gate.h"
#include "proxy/admin/hours_gate.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/operators/scope.h"
#include "proxy/body/json.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;
using crypto::vault::Id;
using crypto::vault::SubjectAdmin;
using crypto::vault::SubjectInfo;
using crypto::vault::SubjectPurpose;

std::string_view door_name(SubjectDoor door) {
  switch (door) {
    case SubjectDoor::locate:
      return "locate";
    case SubjectDoor::export_all:
      return "export";
    case SubjectDoor::restrict:
      return "restrict";
    case SubjectDoor::object:
      return "object";
    case SubjectDoor::erase:
      return "erase";
    case SubjectDoor::events:
      return "events";
  }
  return "";
}

audit::AuditEntry entry_of(SubjectDoor door, const Operator& who, const SubjectRequest& request,
                           const SubjectInfo* subject, audit::Outcome outcome) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::subject_right;
  entry.outcome = outcome;
  name_operator(who, entry.detail);
  entry.detail.reason = request.reason;
  entry.detail.object = door_name(door);
  if (subject != nullptr) {
    entry.detail.subject = crypto::as_text(subject->reference);
  }
  if (door == SubjectDoor::restrict || door == SubjectDoor::object) {
    entry.detail.remark = request.on ? "set" : "lifted";
  }
  if (door == SubjectDoor::events) {
    entry.detail.purpose = request.purpose.substr(0, 256);
    entry.detail.remark = request.event + " " + (request.day.empty() ? "taken back" : request.day);
  }
  return entry;
}

AdminResponse no_record() {
  return admin_problem(503, "audit-unavailable",
                       "The audit log cannot be written; nothing was done.");
}

AdminResponse no_store() {
  return admin_problem(503, "store-unavailable", "The vault cannot be read or written.");
}

std::string day_text(crypto::WallTime time) {
  return crypto::epoch_text(crypto::epoch_at(crypto::EpochLength::day, time));
}

void member(std::string_view name, std::string_view text, std::string& out) {
  out.append("\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

void flag(std::string_view name, bool on, std::string& out) {
  out.append(",\"").append(name).append(on ? "\":true" : "\":false");
}

void list(std::string_view name, const std::vector<std::string>& texts, std::string& out) {
  out.append(",\"").append(name).append("\":[");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out.push_back(',');
    body::encode_json_string(texts[i], out);
  }
  out.push_back(']');
}

// Who the request means.
struct Meant {
  std::vector<SubjectInfo> subjects;                 // each once
  std::vector<std::optional<std::size_t>> by_token;  // which of them a token is about
  bool unreachable = false;
};

class Finder {
 public:
  Finder(const AdminParts& parts, const reveal::Principal& principal) noexcept
      : parts_(parts), principal_(principal) {}

  Meant find(const SubjectRequest& request) const {
    Meant meant;
    if (request.tokens.empty()) {
      add(by_identifier(request), meant);
      meant.by_token.clear();
      return meant;
    }
    for (const std::string& text : request.tokens) add(by_token(text), meant);
    return meant;
  }

 private:
  crypto::Result<Id> by_identifier(const SubjectRequest& request) const {
    const auto kind = crypto::kind_from_name(request.kind);
    if (!kind) return crypto::Error(crypto::ErrorKind::refused);
    const std::string region = parts_.access->phone_region(principal_);
    std::string normal;
    normal.reserve(2 * request.value.size() + 64);
    const crypto::NormaliserOptions options{.region = region};
    if (!crypto::normalise(*kind, request.value, options, normal)) {
      crypto::wipe(normal);
      return crypto::Error(crypto::ErrorKind::refused);
    }
    auto found = parts_.subjects.find(principal_.tenant(), *kind, normal);
    crypto::wipe(normal);
    return found;
  }

  crypto::Result<Id> by_token(const std::string& text) const {
    const auto token = crypto::parse_token(crypto::strip_email_shape(text));
    if (token) return parts_.subjects.of_token(principal_.tenant(), *token);
    const auto shaped = parts_.reidentifier.find_shaped(principal_.tenant(), text);
    if (!shaped) return shaped.error();
    if (shaped->size() != 1) return crypto::Error(crypto::ErrorKind::refused);
    return parts_.subjects.of_token(principal_.tenant(), shaped->front());
  }

  void add(const crypto::Result<Id>& found, Meant& meant) const {
    auto info = found ? parts_.subjects.info(*found) : crypto::Result<SubjectInfo>(found.error());
    if (!info) {
      meant.unreachable =
          meant.unreachable || info.error().kind() == crypto::ErrorKind::unreachable;
      meant.by_token.emplace_back();
      return;
    }
    const auto known = std::find_if(meant.subjects.begin(), meant.subjects.end(),
                                    [&](const SubjectInfo& other) { return other.id == info->id; });
    meant.by_token.emplace_back(static_cast<std::size_t>(known - meant.subjects.begin()));
    if (known == meant.subjects.end()) meant.subjects.push_back(std::move(*info));
  }

  const AdminParts& parts_;
  const reveal::Principal& principal_;
};

// Whoever names a person means everything that is kept of them: a decoy is asked for by its owner's
// address as much as by its token. `named`: the tokens that were handed in, which rang already.
void watch_subjects_for_honey(const AdminParts& parts, const Operator& who, const Meant& meant,
                              const std::vector<audit::AuditToken>& named) {
  if (!hears_honey(parts)) return;
  for (const SubjectInfo& subject : meant.subjects) {
    const auto kept = parts.subjects.tokens(subject.id);
    if (!kept) continue;
    std::vector<std::string> texts;
    for (const auto& token : *kept) texts.push_back(token.text);
    auto tokens = recorded_tokens(parts, who.tenant, texts);
    std::erase_if(tokens, [&](const audit::AuditToken& token) {
      return std::find(named.begin(), named.end(), token) != named.end();
    });
    watch_for_honey(parts, who, {}, tokens);
  }
}

void append_subject(const SubjectInfo& subject, const AdminParts& parts,
                    const reveal::Principal& principal, std::string& out) {
  out.push_back('{');
  member("reference", crypto::to_hex(subject.reference), out);
  flag("identified", subject.identified, out);
  flag("restricted", subject.restricted, out);
  flag("objected", subject.objected, out);
  out.push_back(',');
  member("since", day_text(subject.since), out);
  out.append(",\"purposes\":[");
  for (std::size_t i = 0; i < subject.purposes.size(); ++i) {
    const SubjectPurpose& purpose = subject.purposes[i];
    out.append(i > 0 ? ",{" : "{");
    member("purpose", purpose.name, out);
    out.push_back(',');
    member("since", day_text(purpose.since), out);
    out.push_back(',');
    member("last_contact", day_text(purpose.last_contact), out);
    if (purpose.event) {
      out.push_back(',');
      member("event", day_text(*purpose.event), out);
    }
    if (purpose.disabled) {
      out.push_back(',');
      member("disabled", day_text(*purpose.disabled), out);
    }
    list("recipients", parts.access->recipients(principal, purpose.name), out);
    out.push_back('}');
  }
  out.push_back(']');
}

void append_value(const Asked& asked, const std::string& purpose, const AdminParts& parts,
                  const reveal::Principal& principal, std::string& out) {
  const auto& description = asked.described->description();
  out.push_back('{');
  member("token", asked.text, out);
  out.push_back(',');
  member("purpose", purpose, out);
  out.push_back(',');
  member("kind", crypto::kind_name(description.kind), out);
  list("fields", parts.access->fields(purpose, description), out);
  list("recipients", parts.access->recipients(principal, purpose), out);
  const std::string_view value = crypto::as_text(asked.value->bytes());
  if (body::is_valid_utf8(value)) {
    out.push_back(',');
    member("value", value, out);
  } else {
    out.append(",\"value\":\"");
    crypto::append_base64(out, asked.value->bytes());
    out.append("\",\"encoding\":\"base64\"");
  }
  out.push_back('}');
}

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

// Budgets hold for an export too, and what needs two people is not in it.
std::optional<AdminResponse> guard_export(const AdminParts& parts, const Operator& who,
                                          const SubjectRequest& request, audit::AuditLog& log,
                                          BudgetLedger& ledger, std::vector<Exported>& all) {
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
    RevealGate gate(parts.access->rules(), ledger, parts.operators, log,
                    {who, purpose, request.reason, {}}, parts.operators.now());
    if (auto refusal = gate.pass(asked)) return refusal;
  }
  std::erase_if(all, [](const Exported& one) { return !one.asked.grant; });
  return std::nullopt;
}

}  // namespace

AdminResponse AdminApi::subjects(SubjectDoor door, const AdminRequest& http, const Operator& who) {
  const AdminParts parts = current_parts();  // one policy from here to the end
  auto parsed = parse_subject_request(door, http.body);
  if (!parsed) return admin_problem(400, "malformed-body", parsed.error().sentence());
  const SubjectRequest& request = *parsed;
  std::optional<crypto::WallTime> day;
  if (!request.day.empty()) {
    const auto epoch = crypto::parse_epoch(request.day);
    if (!epoch || epoch->length != crypto::EpochLength::day ||
        crypto::epoch_start(*epoch) > parts.clock.now()) {
      return admin_problem(400, "malformed-body",
                           "The day must be YYYY-MM-DD and not in the future.");
    }
    day = crypto::epoch_start(*epoch);
  }
  audit::AuditLog* log = parts.logs.tenant(who.tenant);
  if (log == nullptr) return admin_problem(403, "refused", "This operator belongs to no tenant.");
  const reveal::Principal principal =
      parts.authentication.authenticated(who.name, who.role, who.tenant);
  std::vector<audit::AuditToken> named;
  if (hears_honey(parts)) {
    named = recorded_tokens(parts, who.tenant, request.tokens);
    watch_for_honey(parts, who, request.purpose, request.tokens);
    // Whoever may not is heard too, by address as by token.
    if (request.tokens.empty()) {
      watch_subjects_for_honey(parts, who, Finder(parts, principal).find(request), named);
    }
  }
  // A right reaches across purposes, so a credential for some of them is no credential for it.
  if (!who.scope.purposes.empty() || !parts.access->handles_subjects(principal)) {
    if (!log->append(entry_of(door, who, request, nullptr, audit::Outcome::refused))) {
      return no_record();
    }
    return admin_problem(403, "refused", "This role may not exercise people's rights.");
  }

  const auto closed = outside_hours(parts, who);
  if (!closed) return no_record();
  if (*closed) {
    audit::AuditEntry entry = entry_of(door, who, request, nullptr, audit::Outcome::refused);
    entry.detail.remark = kHoursRemark;
    if (!log->append(entry)) return no_record();
    return hours_problem();
  }
  const Meant meant = Finder(parts, principal).find(request);
  if (meant.unreachable) return no_store();
  if (!request.tokens.empty()) watch_subjects_for_honey(parts, who, meant, named);
  if (door == SubjectDoor::export_all && meant.subjects.size() > 1) {
    return admin_problem(400, "several-subjects",
                         "These tokens are of several people; export one.");
  }
  std::vector<audit::AuditEntry> entries;
  for (const SubjectInfo& subject : meant.subjects) {
    entries.push_back(entry_of(door, who, request, &subject, audit::Outcome::done));
  }
  if (entries.empty()) {
    entries.push_back(entry_of(door, who, request, nullptr, audit::Outcome::done));
  }
  if (!log->append_batch(entries)) return no_record();

  SubjectAdmin admin = parts.subjects;
  AdminResponse response;
  std::string& out = response.body;
  out.append("{\"subjects\":[");
  std::vector<Id> ids;
  for (std::size_t i = 0; i < meant.subjects.size(); ++i) {
    const SubjectInfo& before = meant.subjects[i];
    ids.push_back(before.id);
    crypto::Status status;
    if (door == SubjectDoor::restrict) status = admin.mark(before.id, request.on, std::nullopt);
    if (door == SubjectDoor::object) status = admin.mark(before.id, std::nullopt, request.on);
    if (door == SubjectDoor::events) {
      status = request.event == "last-contact"
                   ? admin.note_contact(before.id, request.purpose, *day)
                   : admin.note_event(before.id, request.purpose, day);
      if (!status && status.error().kind() == crypto::ErrorKind::refused) {
        return admin_problem(404, "no-such-purpose",
                             "Nothing of this person is kept for that purpose.");
      }
    }
    if (!status) return no_store();
    const auto after = admin.info(before.id);
    if (i > 0) out.push_back(',');
    append_subject(after ? *after : before, parts, principal, out);
    if (door == SubjectDoor::locate) {
      const auto tokens = admin.tokens(before.id);
      if (!tokens) return no_store();
      std::vector<std::string> texts;
      for (const auto& token : *tokens) texts.push_back(token.text);
      list("tokens", texts, out);
    }
    out.push_back('}');
  }
  out.push_back(']');
  if (door == SubjectDoor::erase) {
    const auto erased = admin.erase(ids);
    if (!erased) {
      if (!log->append(entry_of(door, who, request, nullptr, audit::Outcome::failed))) {
        return no_record();
      }
      if (erased.error().kind() == crypto::ErrorKind::busy) {
        return admin_problem(409, "held", "A hold covers this person; release the hold first.");
      }
      return no_store();
    }
    std::size_t rows = 0;
    for (const auto& one : *erased) rows += one.tokens;
    out.append(",\"erased\":" + std::to_string(erased->size()));
    out.append(",\"tokens_gone\":" + std::to_string(rows));
    std::vector<std::string> certificates;
    for (const auto& one : *erased) {
      auto text = parts.keys == nullptr
                      ? crypto::Result<std::string>(crypto::Error(crypto::ErrorKind::internal))
                      : parts.keys->person_certificate(who.tenant, one);
      if (text) certificates.push_back(std::move(*text));
    }
    list("certificates", certificates, out);
  }
  if (!request.tokens.empty()) {
    const auto unknown = std::count(meant.by_token.begin(), meant.by_token.end(), std::nullopt);
    out.append(",\"unknown_tokens\":" + std::to_string(unknown));
  }
  if (door == SubjectDoor::export_all && !meant.subjects.empty()) {
    const auto kept = admin.tokens(meant.subjects.front().id);
    if (!kept) return no_store();
    std::vector<std::string> tokens;
    for (const auto& token : *kept) tokens.push_back(token.text);
    // Encrypted values are with the recipients: whoever hands them in gets them back too.
    for (std::size_t i = 0; i < request.tokens.size(); ++i) {
      const auto parsed_token = crypto::parse_token(crypto::strip_email_shape(request.tokens[i]));
      const std::string text = parsed_token ? parsed_token->text : request.tokens[i];
      if (meant.by_token[i] && std::find(tokens.begin(), tokens.end(), text) == tokens.end()) {
        tokens.push_back(text);
      }
    }
    std::vector<Exported> all = decide_all(parts, principal, meant.subjects.front(), tokens);
    if (auto refusal = guard_export(parts, who, request, *log, ledger_, all)) {
      return std::move(*refusal);
    }
    std::vector<audit::AuditEntry> reveals;
    for (const Exported& one : all) {
      reveals.push_back(one.asked.grant->audit_entry(request.reason));
      reveals.back().detail.credential = who.credential;
    }
    auto receipts = log->append_batch(reveals);
    if (!receipts) return no_record();
    std::size_t size = out.size() + 64;
    for (std::size_t i = 0; i < all.size(); ++i) {
      Asked& asked = all[i].asked;
      auto value = parts.reidentifier.reidentify(*asked.token, std::move(*asked.grant),
                                                 std::move((*receipts)[i]));
      counters_.add(who.role, all[i].purpose, value ? "exported" : "unavailable");
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
      append_value(one.asked, one.purpose, parts, principal, out);
    }
    out.push_back(']');
  }
  out.append("}\n");
  return response;
}

}  // namespace paravent::proxy::admin
