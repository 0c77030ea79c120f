#include "proxy/admin/dossier.h"

#include <utility>

#include "crypto/base/encoding.h"
#include "proxy/admin/audit_entry_json.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

void member(std::string_view name, std::string_view text, std::string& out, bool first = false) {
  out.append(first ? "\"" : ",\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

void counts(std::string_view name, const std::map<std::string, std::uint64_t>& map,
            std::string& out) {
  out.append(",\"").append(name).append("\":{");
  bool first = true;
  for (const auto& [key, count] : map) {
    if (!std::exchange(first, false)) out.push_back(',');
    body::encode_json_string(key, out);
    out.append(":").append(std::to_string(count));
  }
  out.push_back('}');
}

template <typename Texts>
void texts(std::string_view name, const Texts& all, std::string& out) {
  out.append(",\"").append(name).append("\":[");
  bool first = true;
  for (const std::string& text : all) {
    if (!std::exchange(first, false)) out.push_back(',');
    body::encode_json_string(text, out);
  }
  out.push_back(']');
}

void append_question(const DossierQuestion& question, std::string& out) {
  out.append("\"asked\":{");
  member("by", question.asked_by, out, true);
  member("reason", question.reason, out);
  if (!question.operator_name.empty()) member("operator", question.operator_name, out);
  if (!question.credential.empty()) member("credential", question.credential, out);
  if (question.key_id) member("key", key_id_text(*question.key_id), out);
  if (!question.subject.empty()) {
    member("subject", crypto::to_hex(crypto::as_bytes(question.subject)), out);
  }
  if (question.from) member("from", utc_text(*question.from), out);
  if (question.until) member("until", utc_text(*question.until), out);
  out.push_back('}');
}

void append_entries(std::string_view name, const std::vector<DossierEntry>& entries,
                    std::string& out) {
  out.append(",\"").append(name).append("\":[");
  bool first = true;
  for (const DossierEntry& entry : entries) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_audit_entry(entry.record, DetailView::shown, out, true);
    out.append(",\"proof\":");
    append_hashes(entry.proof, out);
    out.push_back('}');
  }
  out.push_back(']');
}

void append_token(const DossierToken& token, std::string& out) {
  out.push_back('{');
  member("key_id", key_id_text(token.key_id), out, true);
  member("sha256", crypto::to_hex(token.digest), out);
  if (!token.kind.empty()) member("kind", token.kind, out);
  texts("purposes", token.purposes, out);
  out.append(",\"revealed\":").append(std::to_string(token.revealed));
  out.append(",\"refused\":").append(std::to_string(token.refused)).append("}");
}

}  // namespace

bool concerns(const DossierQuestion& question, const audit::AuditRecord& record) {
  if (question.from && record.open.time < *question.from) return false;
  if (question.until && record.open.time >= *question.until) return false;
  const bool period_alone = question.operator_name.empty() && question.credential.empty() &&
                            !question.key_id && question.subject.empty();
  if (!record.detail) return period_alone;
  const audit::AuditDetail& detail = *record.detail;
  if (!question.operator_name.empty() && detail.operator_name != question.operator_name) {
    return false;
  }
  if (!question.credential.empty() && detail.credential != question.credential) return false;
  if (!question.subject.empty() && detail.subject != question.subject) return false;
  if (!question.key_id) return true;
  for (const audit::AuditToken& token : detail.tokens) {
    if (token.key_id == *question.key_id) return true;
  }
  return false;
}

bool names_operator(const DossierQuestion& question, const audit::AuditRecord& record) {
  return record.detail && !question.operator_name.empty() &&
         record.detail->operator_name == question.operator_name;
}

void summarise(Dossier& dossier, const std::map<std::uint32_t, std::string>& kinds) {
  std::map<std::pair<std::uint32_t, audit::Hash>, DossierToken> tokens;
  for (const DossierEntry& entry : dossier.entries) {
    ++dossier.events[std::string(audit::event_name(entry.record.open.event))];
    if (!entry.record.detail) {
      ++dossier.unreadable;
      continue;
    }
    const audit::AuditDetail& detail = *entry.record.detail;
    if (!detail.subject.empty()) {
      dossier.subjects.insert(crypto::to_hex(crypto::as_bytes(detail.subject)));
    }
    if (!detail.purpose.empty()) ++dossier.purposes[detail.purpose];
    const bool revealed = entry.record.open.event == audit::EventKind::reveal;
    for (const audit::AuditToken& token : detail.tokens) {
      DossierToken& known = tokens[{token.key_id, token.digest}];
      known.key_id = token.key_id;
      known.digest = token.digest;
      if (const auto kind = kinds.find(token.key_id); kind != kinds.end()) {
        known.kind = kind->second;
      }
      if (!detail.purpose.empty()) known.purposes.insert(detail.purpose);
      ++(revealed ? known.revealed : known.refused);
    }
  }
  for (auto& [key, token] : tokens) {
    if (!token.kind.empty()) ++dossier.kinds[token.kind];
    dossier.tokens.push_back(std::move(token));
  }
}

std::string dossier_json(const Dossier& dossier) {
  std::string out = "{";
  append_question(dossier.question, out);
  member("made", utc_text(dossier.made), out);
  member("origin", dossier.origin, out);
  member("checkpoint", dossier.checkpoint, out);
  out.append(",\"size\":").append(std::to_string(dossier.size));
  out.append(",\"unreadable\":").append(std::to_string(dossier.unreadable));
  if (!dossier.question.operator_name.empty()) {
    out.append(",\"operator_named\":").append(dossier.operator_named ? "true" : "false");
  }
  counts("events", dossier.events, out);
  counts("purposes", dossier.purposes, out);
  counts("kinds", dossier.kinds, out);
  texts("subjects", dossier.subjects, out);
  out.append(",\"tokens\":[");
  bool first = true;
  for (const DossierToken& token : dossier.tokens) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_token(token, out);
  }
  out.append("]");
  if (dossier.question.operator_name.starts_with("oidc:")) {
    append_entries("issuer_keys", dossier.issuer_keys, out);
    out.append(",\"issuer_keys_unreadable\":").append(std::to_string(dossier.issuer_unreadable));
  }
  append_entries("entries", dossier.entries, out);
  return out.append("}\n");
}

}  // namespace paravent::proxy::admin
