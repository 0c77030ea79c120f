#include <array>

#include "crypto/base/encoding.h"
#include "proxy/admin/audit_entry_json.h"
#include "proxy/admin/dossier.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/html_text.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

constexpr std::string_view kStyle =
    "body{font:11pt sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;width:100%;"
    "margin:0 0 2em}th,td{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:"
    "top;overflow-wrap:anywhere}th{background:#eee}pre{white-space:pre-wrap;overflow-wrap:anywhere}"
    "code{font-size:9pt}tr{break-inside:avoid}";

void row(std::initializer_list<std::string> cells, std::string& out,
         std::string_view element = "td") {
  out.append("<tr>");
  for (const std::string& cell : cells) {
    out.append("<").append(element).append(">");
    body::append_html_text(cell, out);
    out.append("</").append(element).append(">");
  }
  out.append("</tr>\n");
}

void counts(std::string_view title, const std::map<std::string, std::uint64_t>& map,
            std::string& out) {
  out.append("<h2>").append(title).append("</h2>\n<table>");
  for (const auto& [name, count] : map) row({name, std::to_string(count)}, out);
  if (map.empty()) row({"none"}, out);
  out.append("</table>\n");
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

void append_entries(std::string_view title, const std::vector<DossierEntry>& entries,
                    std::string& out) {
  out.append("<h2>").append(title).append("</h2>\n<table>");
  row({"No.", "Time (UTC)", "Event", "Outcome", "Operator", "Purpose", "Reason", "About", "Proof"},
      out, "th");
  for (const DossierEntry& entry : entries) {
    const audit::PublicPart& open = entry.record.open;
    const audit::AuditDetail none;
    const audit::AuditDetail& detail = entry.record.detail ? *entry.record.detail : none;
    std::string about = detail.object;
    for (const audit::AuditToken& token : detail.tokens) {
      about.append(about.empty() ? "token " : ", token ")
          .append(crypto::to_hex(token.digest).substr(0, 16));
    }
    if (!detail.remark.empty()) about.append(about.empty() ? "" : "; ").append(detail.remark);
    if (!entry.record.detail) about = "the detail is gone with its month's key";
    std::string proof = "leaf " + crypto::to_base64(crypto::as_bytes(entry.record.leaf));
    for (const audit::Hash& hash : entry.proof) proof += " " + crypto::to_base64(hash);
    row({std::to_string(open.sequence), audit_time_text(open.time),
         std::string(audit::event_name(open.event)), std::string(audit::outcome_name(open.outcome)),
         detail.operator_name, detail.purpose, detail.reason, about, proof},
        out);
  }
  out.append("</table>\n");
}

}  // namespace

std::string dossier_html(const Dossier& dossier) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Dossier</title>"
      "<style>";
  out.append(kStyle).append("</style></head><body>\n<h1>Dossier of what was touched</h1>\n<table>");
  const DossierQuestion& question = dossier.question;
  row({"Made", utc_text(dossier.made) + " by " + question.asked_by}, out);
  row({"Reason", question.reason}, out);
  if (!question.operator_name.empty()) {
    const bool named = dossier.operator_named;
    row({"Operator", question.operator_name + (named ? "" : " (no entry at any time names it)")},
        out);
  }
  if (!question.credential.empty()) row({"Credential", question.credential}, out);
  if (question.key_id) row({"Key", key_id_text(*question.key_id)}, out);
  if (!question.subject.empty()) {
    row({"Person", crypto::to_hex(crypto::as_bytes(question.subject))}, out);
  }
  if (question.from) row({"From", utc_text(*question.from)}, out);
  if (question.until) row({"Before", utc_text(*question.until)}, out);
  row({"Entries", std::to_string(dossier.entries.size()) + ", of which " +
                      std::to_string(dossier.unreadable) + " without detail"},
      out);
  row({"People", std::to_string(dossier.subjects.size())}, out);
  row({"Tokens", std::to_string(dossier.tokens.size())}, out);
  out.append("</table>\n");
  counts("Events", dossier.events, out);
  counts("Purposes", dossier.purposes, out);
  counts("Kinds of data", dossier.kinds, out);
  out.append("<h2>People, by reference</h2>\n<table>");
  for (const std::string& subject : dossier.subjects) row({subject}, out);
  out.append("</table>\n<h2>Tokens</h2>\n<table>");
  row({"Key id", "SHA-256", "Kind", "Purposes", "Revealed", "Refused"}, out, "th");
  for (const DossierToken& token : dossier.tokens) {
    row({key_id_text(token.key_id), crypto::to_hex(token.digest), token.kind,
         joined(token.purposes), std::to_string(token.revealed), std::to_string(token.refused)},
        out);
  }
  out.append("</table>\n");
  if (question.operator_name.starts_with("oidc:")) {
    append_entries("Keys of the issuer: trusted at the beginning, and what changed",
                   dossier.issuer_keys, out);
    if (dossier.issuer_unreadable > 0) {
      out.append("<p>")
          .append(std::to_string(dossier.issuer_unreadable))
          .append(" entries that may be about them have no detail any more.</p>\n");
    }
  }
  append_entries("Entries of the record", dossier.entries, out);
  out.append(
      "<h2>Checkpoint</h2>\n<p>Each proof leads from the entry's leaf to the root of this "
      "checkpoint (RFC 9162 2.1.3.2), which the log has signed.</p>\n<pre>");
  body::append_html_text(dossier.checkpoint, out);
  return out.append("</pre>\n</body></html>\n");
}

}  // namespace paravent::proxy::admin
