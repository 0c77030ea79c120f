#include "proxy/admin/grants/case_record.h"

#include <charconv>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/html_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Result;

void member(std::string_view name, std::string_view text, std::string& out) {
  out.append(out.ends_with('{') ? "\"" : ",\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

void number(std::string_view name, std::uint64_t value, std::string& out) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

struct Event {
  audit::AuditRecord record;
  std::vector<audit::Hash> proof;
};

struct Record {
  std::string checkpoint;
  std::uint64_t size = 0;
  std::vector<Event> events;
};

// The second line of a checkpoint (C2SP tlog-checkpoint).
std::uint64_t size_of(std::string_view checkpoint) {
  checkpoint.remove_prefix(std::min(checkpoint.size(), checkpoint.find('\n') + 1));
  std::uint64_t size = 0;
  std::from_chars(checkpoint.data(), checkpoint.data() + checkpoint.size(), size);
  return size;
}

Result<Record> gather(const Case& one, const audit::AuditLog& log) {
  std::uint64_t count = 0;
  for (const LogRange& range : one.entries) count += range.count;
  if (count > kMostRecordEntries) return crypto::Error(crypto::ErrorKind::refused);
  // A printed record is kept: the log's files must reach as far.
  auto checkpoint = log.checkpoint_in_files();
  if (!checkpoint) return checkpoint.error();
  Record record;
  record.checkpoint = std::move(*checkpoint);
  record.size = size_of(record.checkpoint);
  for (const LogRange& range : one.entries) {
    auto read = log.read(range.first, static_cast<std::size_t>(range.count));
    if (!read) return read.error();
    for (audit::AuditRecord& entry : *read) {
      auto proof = log.prove_inclusion(entry.open.sequence, record.size);
      if (!proof) return proof.error();
      record.events.push_back({std::move(entry), std::move(*proof)});
    }
  }
  return record;
}

void append_event(const Event& event, std::string& out) {
  const audit::PublicPart& open = event.record.open;
  out.push_back('{');
  member("time", utc_text(open.time), out);
  number("index", open.sequence, out);
  member("event", audit::event_name(open.event), out);
  member("outcome", audit::outcome_name(open.outcome), out);
  member("leaf", crypto::to_base64(crypto::as_bytes(event.record.leaf)), out);
  if (event.record.detail) {
    const audit::AuditDetail& detail = *event.record.detail;
    member("operator", detail.operator_name, out);
    member("role", detail.role, out);
    member("reason", detail.reason, out);
    member("remark", detail.remark, out);
    if (!detail.subject.empty()) {
      member("subject", crypto::to_hex(crypto::as_bytes(detail.subject)), out);
    }
    out.append(",\"tokens\":[");
    for (std::size_t i = 0; i < detail.tokens.size(); ++i) {
      out.append(i > 0 ? ",\"" : "\"").append(crypto::to_hex(detail.tokens[i].digest)).append("\"");
    }
    out.append("]");
  }
  out.append(",\"proof\":[");
  for (std::size_t i = 0; i < event.proof.size(); ++i) {
    out.append(i > 0 ? ",\"" : "\"").append(crypto::to_base64(event.proof[i])).append("\"");
  }
  out.append("]}");
}

std::string escaped(std::string_view text) {
  std::string out;
  body::append_html_text(text, out);
  return out;
}

void row(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out.append("<tr><th>")
      .append(name)
      .append("</th><td>")
      .append(escaped(value))
      .append("</td></tr>\n");
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

}  // namespace

std::string reason_of(const Case& one, const audit::AuditLog& log) {
  if (one.entries.empty()) return {};
  const auto read = log.read(one.entries.front().first, 1);
  if (!read || read->empty() || !read->front().detail) return {};
  return read->front().detail->reason;
}

std::string case_json(const Case& one, std::string_view reason) {
  std::string out = "{";
  member("id", crypto::vault::id_hex(one.id), out);
  member("type", case_type_name(one.type), out);
  member("state", case_state_name(one.state), out);
  member("requester", one.requester, out);
  member("role", one.requester_role, out);
  if (!one.approver.empty()) member("approver", one.approver, out);
  if (!one.approver_role.empty()) member("approver_role", one.approver_role, out);
  member("opened", utc_text(one.opened), out);
  member("expires", utc_text(one.expires), out);
  if (!one.change.empty()) member("change", one.change, out);
  if (one.type == CaseType::reveal) {
    member("purpose", one.purpose, out);
    member("basis", one.basis, out);
    out.append(",\"fields\":[");
    for (std::size_t i = 0; i < one.fields.size(); ++i) {
      if (i > 0) out.push_back(',');
      body::encode_json_string(one.fields[i], out);
    }
    out.append("]");
    number("tokens", one.tokens.size(), out);
    number("subjects", one.most_subjects, out);
    number("values", one.most_values, out);
    number("subjects_revealed", one.subjects.size(), out);
    number("values_revealed", one.values, out);
  }
  member("reason", reason, out);
  return out + "}";
}

Result<std::string> case_record_json(const Case& one, const audit::AuditLog& log) {
  auto record = gather(one, log);
  if (!record) return record.error();
  std::string out = "{\"case\":" + case_json(one, reason_of(one, log)) + ",\"events\":[";
  for (std::size_t i = 0; i < record->events.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_event(record->events[i], out);
  }
  out.append("]");
  number("tree_size", record->size, out);
  member("checkpoint", record->checkpoint, out);
  return out + "}\n";
}

Result<std::string> case_record_html(const Case& one, const audit::AuditLog& log) {
  auto record = gather(one, log);
  if (!record) return record.error();
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Case " +
      crypto::vault::id_hex(one.id) +
      "</title><style>body{font:11pt serif;margin:2em}table{border-collapse:collapse;width:100%}"
      "th,td{border:1px solid #999;padding:.3em;text-align:left;vertical-align:top}"
      "code,pre{font:8pt monospace;overflow-wrap:anywhere;white-space:pre-wrap}</style></head>"
      "<body>\n<h1>Record of a case</h1>\n<table>\n";
  row("Case", crypto::vault::id_hex(one.id), out);
  row("State", case_state_name(one.state), out);
  row("Requested by", one.requester + " (" + one.requester_role + ")", out);
  row("Approved or refused by",
      one.approver.empty() ? "" : one.approver + " (" + one.approver_role + ")", out);
  row("Opened", utc_text(one.opened), out);
  row("Expires", utc_text(one.expires), out);
  row("Change", one.change, out);
  row("Reason", reason_of(one, log), out);
  row("Purpose", one.purpose, out);
  row("Legal basis", one.basis, out);
  const bool reveals = one.type == CaseType::reveal;
  if (reveals) row("Fields", one.fields.empty() ? "all of the purpose" : joined(one.fields), out);
  if (reveals) {
    row("People revealed",
        std::to_string(one.subjects.size()) + " of " + std::to_string(one.most_subjects), out);
    row("Values revealed", std::to_string(one.values) + " of " + std::to_string(one.most_values),
        out);
  }
  out.append(
      "</table>\n<h2>What is on record</h2>\n<table>\n<tr><th>Entry</th><th>Time</th><th>What</th>"
      "<th>Who</th><th>Reason</th><th>Tokens (SHA-256)</th><th>Leaf, and its inclusion "
      "proof</th></tr>\n");
  for (const Event& event : record->events) {
    const audit::PublicPart& open = event.record.open;
    const audit::AuditDetail detail = event.record.detail.value_or(audit::AuditDetail());
    out.append("<tr><td>" + std::to_string(open.sequence) + "</td><td>" + utc_text(open.time) +
               "</td><td>" + escaped(audit::event_name(open.event)) + " " +
               escaped(audit::outcome_name(open.outcome)) + " " + escaped(detail.remark) +
               "</td><td>" + escaped(detail.operator_name) + "</td><td>" + escaped(detail.reason) +
               "</td><td><code>");
    for (const audit::AuditToken& token : detail.tokens) {
      out.append(crypto::to_hex(token.digest) + "<br>");
    }
    out.append("</code></td><td><code>");
    out.append(crypto::to_base64(crypto::as_bytes(event.record.leaf)) + "<br><br>");
    for (const audit::Hash& hash : event.proof) out.append(crypto::to_base64(hash) + "<br>");
    out.append("</code></td></tr>\n");
  }
  out.append("</table>\n<h2>Checkpoint of the audit log</h2>\n<pre>" + escaped(record->checkpoint) +
             "</pre>\n</body></html>\n");
  return out;
}

}  // namespace paravent::proxy::admin
