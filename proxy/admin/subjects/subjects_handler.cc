// POST /v1/subjects/...: people's rights, exercised for them by a role that may. On the record
// before anything happens; no value in any answer but that of export.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/keys/epoch.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/asked.h"
#include "proxy/admin/hours_gate.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/no_policy.h"
#include "proxy/admin/operators/scope.h"
#include "proxy/admin/subjects/subject_call.h"
#include "proxy/admin/subjects/subject_export.h"
#include "proxy/admin/subjects/subject_finder.h"
#include "proxy/admin/subjects/subject_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;
using crypto::vault::Id;
using crypto::vault::SubjectAdmin;
using crypto::vault::SubjectInfo;

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

audit::AuditEntry entry_of(const SubjectCall& call, const SubjectInfo* subject,
                           audit::Outcome outcome) {
  const SubjectRequest& request = call.request;
  audit::AuditEntry entry;
  entry.event = audit::EventKind::subject_right;
  entry.outcome = outcome;
  name_operator(call.who, entry.detail);
  entry.detail.reason = request.reason;
  entry.detail.object = door_name(call.door);
  if (subject != nullptr) {
    entry.detail.subject = crypto::as_text(subject->reference);
  }
  if (call.door == SubjectDoor::restrict || call.door == SubjectDoor::object) {
    entry.detail.remark = request.on ? "set" : "lifted";
  }
  if (call.door == SubjectDoor::events) {
    entry.detail.purpose = request.purpose.substr(0, 256);
    entry.detail.remark = request.event + " " + (request.day.empty() ? "taken back" : request.day);
  }
  return entry;
}

// The day of an event; none where it is taken back.
crypto::Result<std::optional<crypto::WallTime>> day_of(const SubjectRequest& request,
                                                       crypto::WallTime now) {
  if (request.day.empty()) return std::optional<crypto::WallTime>();
  const auto epoch = crypto::parse_epoch(request.day);
  if (!epoch || epoch->length != crypto::EpochLength::day || crypto::epoch_start(*epoch) > now) {
    return crypto::Error(crypto::ErrorKind::malformed,
                         "The day must be YYYY-MM-DD and not in the future.");
  }
  return std::optional(crypto::epoch_start(*epoch));
}

// One entry for each person, or one for nobody. False: nothing may be done.
bool put_on_record(const SubjectCall& call, const MeantSubjects& meant) {
  std::vector<audit::AuditEntry> entries;
  for (const SubjectInfo& subject : meant.subjects) {
    entries.push_back(entry_of(call, &subject, audit::Outcome::done));
  }
  if (entries.empty()) entries.push_back(entry_of(call, nullptr, audit::Outcome::done));
  return call.log.append_batch(entries).has_value();
}

// `answer`, once it is on record what was asked and why nothing came of it: that two tokens are not
// one person's is an answer too.
AdminResponse unanswered(const SubjectCall& call, std::vector<audit::AuditToken> named,
                         audit::Outcome outcome, std::string_view why, AdminResponse answer) {
  audit::AuditEntry entry = entry_of(call, nullptr, outcome);
  entry.detail.remark = why;
  if (!call.log.append_all(entries_naming(entry, named))) return audit_unavailable();
  return answer;
}

AdminResponse key_problem() {
  return admin_problem(409, "sealed",
                       "A key of this tenant is out of use, so nobody can be looked up by that; "
                       "enable it, or name the person by reference.");
}

// What is asked about one person.
crypto::Status act_on(const SubjectCall& call, const Id& person,
                      std::optional<crypto::WallTime> day, SubjectAdmin& admin) {
  const SubjectRequest& request = call.request;
  switch (call.door) {
    case SubjectDoor::restrict:
      return admin.mark(person, request.on, std::nullopt);
    case SubjectDoor::object:
      return admin.mark(person, std::nullopt, request.on);
    case SubjectDoor::events:
      return request.event == "last-contact" ? admin.note_contact(person, request.purpose, *day)
                                             : admin.note_event(person, request.purpose, day);
    case SubjectDoor::locate:
    case SubjectDoor::export_all:
    case SubjectDoor::erase:
      break;
  }
  return {};
}

// Acts on each person and appends "subjects":[...] as they are then. Else the answer that says why
// not.
std::optional<AdminResponse> act_on_each(const SubjectCall& call, const MeantSubjects& meant,
                                         std::optional<crypto::WallTime> day, SubjectAdmin& admin,
                                         std::string& out) {
  out.append("\"subjects\":[");
  std::size_t without = 0;  // of whom nothing is kept for the purpose of an event
  for (std::size_t i = 0; i < meant.subjects.size(); ++i) {
    const SubjectInfo& before = meant.subjects[i];
    if (const auto done = act_on(call, before.id, day, admin); !done) {
      const bool unknown_purpose =
          call.door == SubjectDoor::events && done.error().kind() == crypto::ErrorKind::refused;
      if (!unknown_purpose) return no_store();
      ++without;
    }
    const auto after = admin.info(before.id);
    if (i > 0) out.push_back(',');
    append_subject(after ? *after : before, *call.parts.access, call.principal, out);
    if (call.door == SubjectDoor::locate) {
      const auto tokens = admin.tokens(before.id);
      if (!tokens) return no_store();
      std::vector<std::string> texts;
      for (const auto& token : *tokens) texts.push_back(token.text);
      append_list("tokens", texts, out);
    }
    out.push_back('}');
  }
  out.push_back(']');
  if (without > 0 && without == meant.subjects.size()) {
    return admin_problem(404, "no-such-purpose",
                         "Nothing of this person is kept for that purpose.");
  }
  return std::nullopt;
}

// Erases them all in one batch and appends what went, with its certificates. Else the answer that
// says why not.
std::optional<AdminResponse> erase(const SubjectCall& call, const MeantSubjects& meant,
                                   SubjectAdmin& admin, std::string& out) {
  std::vector<Id> ids;
  for (const SubjectInfo& subject : meant.subjects) ids.push_back(subject.id);
  const auto erasure = admin.erase(ids);
  if (!erasure || !erasure->is_final) {
    if (!call.log.append(entry_of(call, nullptr, audit::Outcome::failed)))
      return audit_unavailable();
  }
  if (!erasure) {
    if (erasure.error().kind() == crypto::ErrorKind::busy) {
      return admin_problem(409, "held", "A hold covers this person; release the hold first.");
    }
    return no_store();
  }
  if (!erasure->is_final) {
    return admin_problem(503, "store-unavailable",
                         "Nothing of these people opens here any more; the secret under which an "
                         "older copy of the keys still would could not be replaced yet, and the "
                         "gateway goes on with it by itself.");
  }
  std::size_t rows = 0;
  for (const auto& one : erasure->people) rows += one.tokens;
  out.append(",\"erased\":" + std::to_string(erasure->people.size()));
  out.append(",\"tokens_gone\":" + std::to_string(rows));
  if (erasure->rows_left) out.append(",\"rows_left\":true");
  std::vector<std::string> certificates;
  for (const auto& one : erasure->people) {
    auto text = call.parts.keys == nullptr
                    ? crypto::Result<std::string>(crypto::Error(crypto::ErrorKind::internal))
                    : call.parts.keys->person_certificate(call.who.tenant, one);
    if (text) certificates.push_back(std::move(*text));
  }
  append_list("certificates", certificates, out);
  return std::nullopt;
}

}  // namespace

AdminResponse AdminApi::subjects(SubjectDoor door, const AdminRequest& http, const Operator& who) {
  const AdminParts parts = current_parts();  // one policy from here to the end
  auto parsed = parse_subject_request(door, http.body);
  if (!parsed) return admin_problem(400, "malformed-body", parsed.error().sentence());
  const SubjectRequest& request = *parsed;
  const auto day = day_of(request, parts.clock.now());
  if (!day) return admin_problem(400, "malformed-body", day.error().sentence());
  audit::AuditLog* log = parts.logs.tenant(who.tenant);
  if (log == nullptr) return no_policy(who);
  const reveal::Principal principal =
      parts.authentication.authenticated(who.name, who.role, who.tenant);
  const SubjectCall call{parts, door, request, who, principal, *log};
  std::vector<audit::AuditToken> named;
  if (hears_honey(parts)) {
    named = recorded_tokens(parts, who.tenant, request.tokens);
    watch_for_honey(parts, who, request.purpose, request.tokens);
    // Whoever may not is heard too, by address as by token.
    if (request.tokens.empty()) {
      watch_subjects_for_honey(parts, who, find_subjects(parts, principal, request), named);
    }
  }
  // A right reaches across purposes, so a credential for some of them is no credential for it.
  if (!who.scope.purposes.empty() || !parts.access->handles_subjects(principal)) {
    if (!log->append(entry_of(call, nullptr, audit::Outcome::refused))) return audit_unavailable();
    return role_may_not(parts.access->rules().knows(who.tenant), who,
                        "This role may not exercise people's rights.");
  }

  const auto closed = outside_hours(parts, who);
  if (!closed) return audit_unavailable();
  if (*closed) {
    audit::AuditEntry entry = entry_of(call, nullptr, audit::Outcome::refused);
    entry.detail.remark = kHoursRemark;
    if (!log->append(entry)) return audit_unavailable();
    return hours_problem();
  }
  const MeantSubjects meant = find_subjects(parts, principal, request);
  const auto none = [&](audit::Outcome outcome, std::string_view why, AdminResponse answer) {
    return unanswered(call, recorded_tokens(parts, who.tenant, request.tokens), outcome, why,
                      std::move(answer));
  };
  if (meant.unreachable) return none(audit::Outcome::failed, "store-unavailable", no_store());
  // An answer about the others would say that this one is nobody.
  if (meant.key_out_of_use) return none(audit::Outcome::failed, "key-out-of-use", key_problem());
  if (meant.malformed) {
    return none(
        audit::Outcome::refused, "malformed-value",
        admin_problem(400, "malformed-body", "The value of the identifier is none of its kind."));
  }
  if (!request.tokens.empty()) watch_subjects_for_honey(parts, who, meant, named);
  if (door == SubjectDoor::export_all && meant.subjects.size() > 1) {
    return none(audit::Outcome::refused, "several-subjects",
                admin_problem(400, "several-subjects",
                              "Several people are meant; export one, by a token of theirs."));
  }
  if (!put_on_record(call, meant)) return audit_unavailable();

  SubjectAdmin admin = parts.subjects;
  AdminResponse response;
  std::string& out = response.body;
  out.push_back('{');
  if (auto problem = act_on_each(call, meant, *day, admin, out)) return std::move(*problem);
  if (door == SubjectDoor::erase) {
    if (auto problem = erase(call, meant, admin, out)) return std::move(*problem);
  }
  if (!request.tokens.empty()) {
    const auto unknown = std::count(meant.by_token.begin(), meant.by_token.end(), std::nullopt);
    out.append(",\"unknown_tokens\":" + std::to_string(unknown));
  }
  if (door == SubjectDoor::export_all && !meant.subjects.empty()) {
    if (auto problem = export_values(call, meant, ledger_, counters_, out)) {
      return std::move(*problem);
    }
  }
  out.append("}\n");
  return response;
}

}  // namespace paravent::proxy::admin
