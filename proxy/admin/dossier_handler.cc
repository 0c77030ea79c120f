// POST /v1/dossier: reads the whole log of the tenant, and is itself on the record.

#include <array>
#include <span>

#include "crypto/base/encoding.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/normaliser.h"
#include "proxy/admin/dossier.h"
#include "proxy/admin/dossier_issuer.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/no_policy.h"
#include "proxy/admin/record_api.h"
#include "proxy/admin/subjects/subject_reference.h"
#include "proxy/admin/text_members.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kChunk = 1000;
constexpr std::size_t kCredentialIdBytes = 6;

Error malformed(const char* sentence) { return {ErrorKind::malformed, sentence}; }

Result<DossierQuestion> question_of(TextMembers& members, const Operator& who) {
  DossierQuestion question;
  question.asked_by = who.name;
  question.reason = members["reason"];
  if (crypto::trim(question.reason).empty()) {
    return malformed("The reason is missing; it goes on the record.");
  }
  question.operator_name = members["operator"];
  question.credential = members["credential"];
  if (!question.credential.empty() && question.credential != kCertificate) {
    const auto bytes = crypto::from_hex(question.credential);
    if (!bytes || bytes->size() != kCredentialIdBytes) {
      return malformed("credential is an id of 12 hexadecimal digits, or certificate.");
    }
  }
  if (const std::string& key = members["key"]; !key.empty()) {
    const auto bytes = crypto::from_hex(key);
    if (!bytes || bytes->size() != 4) return malformed("key is a key id of 8 hexadecimal digits.");
    question.key_id = crypto::load_u32be(bytes->data());
  }
  if (const std::string& subject = members["subject"]; !subject.empty()) {
    const auto reference = reference_from_hex(subject);
    if (!reference) return malformed("subject is a reference of 64 hexadecimal digits.");
    question.subject = crypto::as_text(*reference);
  }
  if (const std::string& day = members["from"]; !day.empty()) {
    question.from = day_from(day);
    if (!question.from) return malformed("from is a day: 2026-11-21.");
  }
  if (const std::string& day = members["to"]; !day.empty()) {
    question.until = day_from(day);
    if (!question.until) return malformed("to is a day: 2026-11-28.");
    *question.until += std::chrono::days(1);
  }
  if (question.from && question.until && *question.until <= *question.from) {
    return malformed("from lies behind to.");
  }
  const std::string& format = members["format"];
  if (!format.empty() && format != "json" && format != "html") {
    return malformed("format is json or html.");
  }
  return question;
}

audit::AuditEntry entry_of(const DossierQuestion& question, const Operator& who) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::record_export;
  name_operator(who, entry.detail);
  entry.detail.reason = question.reason;
  entry.detail.subject = question.subject;
  entry.detail.object = "dossier";
  if (!question.operator_name.empty()) entry.detail.object += " of " + question.operator_name;
  if (!question.credential.empty()) entry.detail.object += " by " + question.credential;
  if (question.from) entry.detail.remark += "from " + utc_text(*question.from);
  if (question.until) {
    entry.detail.remark += (question.from ? " until " : "until ") + utc_text(*question.until);
  }
  return entry;
}

// ErrorKind::refused: too many; else as the log answers.
crypto::Status collect(const audit::AuditLog& log, Dossier& dossier) {
  IssuerKeys issuer(dossier.question);
  for (std::uint64_t at = 0; at < dossier.size;) {
    auto records = log.read(at, std::min<std::uint64_t>(kChunk, dossier.size - at));
    if (!records) return records.error();
    if (records->empty()) return Error(ErrorKind::data);
    at += records->size();
    for (audit::AuditRecord& record : *records) {
      dossier.operator_named = dossier.operator_named || names_operator(dossier.question, record);
      if (issuer.take(record) || !concerns(dossier.question, record)) continue;
      if (dossier.entries.size() == kMostDossierEntries) return Error(ErrorKind::refused);
      dossier.entries.push_back({std::move(record), {}});
    }
  }
  for (audit::AuditRecord& record : issuer.entries()) {
    if (dossier.issuer_keys.size() == kMostDossierEntries) return Error(ErrorKind::refused);
    dossier.issuer_keys.push_back({std::move(record), {}});
  }
  dossier.issuer_unreadable = issuer.unreadable();
  for (auto* entries : {&dossier.issuer_keys, &dossier.entries}) {
    for (DossierEntry& entry : *entries) {
      auto proof = log.prove_inclusion(entry.record.open.sequence, dossier.size);
      if (!proof) return proof.error();
      entry.proof = std::move(*proof);
    }
  }
  return {};
}

}  // namespace

AdminResponse RecordApi::dossier(const AdminRequest& request, const RecordReader& reader) {
  constexpr std::array<std::string_view, 8> kKnown{"operator", "credential", "key",    "subject",
                                                   "from",     "to",         "reason", "format"};
  auto members = read_text_members(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto question = question_of(*members, reader.who);
  if (!question) return admin_problem(400, "malformed-body", question.error().sentence());
  audit::AuditLog* log = logs_.tenant(reader.who.tenant);
  if (log == nullptr) return no_policy(reader.who);
  audit::AuditEntry entry = entry_of(*question, reader.who);
  if (!reader.reads_audit) entry.outcome = audit::Outcome::refused;
  if (!log->append(entry)) {
    return audit_unavailable();
  }
  if (!reader.reads_audit) {
    return role_may_not(reader.has_policy, reader.who, "This role may not read the audit log.");
  }
  Dossier dossier;
  dossier.question = *question;
  dossier.made = clock_.now();
  dossier.origin = log->key().name;
  auto checkpoint = log->checkpoint_in_files();
  if (!checkpoint) {
    return admin_problem(503, "audit-unavailable",
                         "The audit log cannot be written; nothing was read.");
  }
  dossier.checkpoint = std::move(*checkpoint);
  dossier.size = audit::open_checkpoint(dossier.checkpoint, log->key())->size;
  if (const auto status = collect(*log, dossier); !status) {
    if (status.error().kind() == ErrorKind::refused) {
      return admin_problem(400, "too-large",
                           "More than 20 000 entries; narrow it by a period or an operator.");
    }
    return admin_problem(503, "audit-unavailable", "The audit log cannot be read; verify it.");
  }
  std::map<std::uint32_t, std::string> kinds;
  for (const auto& context : vault_.context_table().contexts) {
    const auto kind =
        crypto::kind_from_number(static_cast<std::uint8_t>(context.row.normaliser_id >> 8U));
    if (kind) kinds.emplace(context.row.key_id, crypto::kind_name(*kind));
  }
  summarise(dossier, kinds);
  if ((*members)["format"] == "html") {
    return {200, "text/html; charset=utf-8", dossier_html(dossier)};
  }
  return {200, "application/json", dossier_json(dossier)};
}

}  // namespace paravent::proxy::admin
