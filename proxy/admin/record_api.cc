#include "proxy/admin/record_api.h"

#include <algorithm>
#include <array>

#include "crypto/base/encoding.h"
#include "proxy/admin/audit_entry_json.h"
#include "proxy/admin/door_record.h"
#include "proxy/admin/no_policy.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;

constexpr std::uint64_t kEntriesByDefault = 100;
constexpr std::string_view kInstallation = audit::kInstallationLog;

AdminResponse bad_request(const Error& error) {
  return admin_problem(400, "malformed-body", error.sentence());
}

// The installation's log grows when a decoy is asked for: its size is for the role admin alone.
bool hides_size(const QueryMembers& query, const RecordReader& reader) {
  return query.has("log") && reader.who.role != "admin";
}

AdminResponse no_such_log() { return admin_problem(404, "no-route", "There is no such log."); }

AdminResponse unreadable() {
  return admin_problem(503, "audit-unavailable", "The audit log cannot be read; verify it.");
}

crypto::Result<QueryMembers> read_query(const AdminRequest& request,
                                        std::span<const std::string_view> known) {
  auto query = QueryMembers::read(request.query, known);
  if (!query) return query;
  if (query->has("log") && query->text("log") != kInstallation) {
    return Error(ErrorKind::malformed, "The query's log may only be installation.");
  }
  return query;
}

std::string head_of(const audit::AuditLog& log) {
  std::string out = R"({"log":")" + log.log_id() + R"(","origin":)";
  body::encode_json_string(log.key().name, out);
  return out;
}

// What no longer holds while the log grows: a size from before is still there.
AdminResponse beyond(const audit::AuditLog& log) {
  return admin_problem(400, "malformed-body",
                       "The log has " + std::to_string(log.size()) + " entries, counted from 0.");
}

}  // namespace

audit::AuditLog* RecordApi::log_of(const QueryMembers& query, const RecordReader& reader) const {
  return query.has("log") ? &logs_.installation() : logs_.tenant(reader.who.tenant);
}

AdminResponse RecordApi::not_yours(const AdminRequest& request, const RecordReader& reader) const {
  return turned_away(
      logs_, request, reader.who, "record",
      role_may_not(reader.has_policy, reader.who, "This role may not read this audit log."));
}

AdminResponse RecordApi::handle(const AdminRequest& request, const RecordReader& reader) {
  if (request.path == "/v1/audit/entries") return entries(request, reader);
  if (request.path == "/v1/audit/checkpoint") return checkpoint(request, reader);
  if (request.path == "/v1/audit/proof/inclusion") return inclusion(request, reader);
  if (request.path == "/v1/audit/proof/consistency") return consistency(request, reader);
  if (request.path == "/v1/dossier") return dossier(request, reader);
  return honey_tokens(request, reader);
}

AdminResponse RecordApi::entries(const AdminRequest& request, const RecordReader& reader) const {
  constexpr std::array<std::string_view, 3> kKnown{"from", "count", "log"};
  const auto query = read_query(request, kKnown);
  if (!query) return bad_request(query.error());
  const auto from = query->number("from", 0);
  if (!from) return bad_request(from.error());
  const auto count = query->number("count", kEntriesByDefault);
  if (!count) return bad_request(count.error());
  if (*count == 0 || *count > kMostEntriesPerPage) {
    return admin_problem(400, "malformed-body", "The query's count is 1 to 1000.");
  }
  const audit::AuditLog* log = log_of(*query, reader);
  if (log == nullptr) return no_such_log();
  const bool installation = log == &logs_.installation();
  const bool is_admin = reader.who.role == "admin";
  if (!is_admin && (installation || !reader.reads_audit)) {
    return not_yours(request, reader);
  }
  const bool open = installation ? is_admin : reader.reads_audit;
  const std::uint64_t size = log->size();
  if (*from > size) return beyond(*log);
  const auto records = log->read(*from, std::min(*count, size - *from));
  if (!records) return unreadable();
  std::string out = head_of(*log) + R"(,"size":)" + std::to_string(size) + R"(,"entries":[)";
  for (const audit::AuditRecord& record : *records) {
    if (&record != &records->front()) out.push_back(',');
    append_audit_entry(record, open ? DetailView::shown : DetailView::withheld, out);
  }
  out.push_back(']');
  if (const std::uint64_t next = *from + records->size(); next < size) {
    out.append(",\"next\":").append(std::to_string(next));
  }
  return {200, "application/json", out + "}\n"};
}

AdminResponse RecordApi::checkpoint(const AdminRequest& request, const RecordReader& reader) const {
  constexpr std::array<std::string_view, 1> kKnown{"log"};
  const auto query = read_query(request, kKnown);
  if (!query) return bad_request(query.error());
  const audit::AuditLog* log = log_of(*query, reader);
  if (log == nullptr) return no_such_log();
  if (hides_size(*query, reader)) return not_yours(request, reader);
  const auto checkpoint = log->checkpoint_in_files();
  if (!checkpoint) return unreadable();
  return {200, "text/plain; charset=utf-8", *checkpoint};
}

AdminResponse RecordApi::inclusion(const AdminRequest& request, const RecordReader& reader) const {
  constexpr std::array<std::string_view, 3> kKnown{"index", "size", "log"};
  const auto query = read_query(request, kKnown);
  if (!query) return bad_request(query.error());
  const audit::AuditLog* log = log_of(*query, reader);
  if (log == nullptr) return no_such_log();
  if (hides_size(*query, reader)) return not_yours(request, reader);
  // The size that counts is read once: the log grows meanwhile.
  const auto in_files = log->checkpoint_in_files();
  if (!in_files) return unreadable();
  const std::string& checkpoint = *in_files;
  const auto index = query->number("index", ~std::uint64_t{0});
  if (!index) return bad_request(index.error());
  const auto size = query->number("size", audit::open_checkpoint(checkpoint, log->key())->size);
  if (!size) return bad_request(size.error());
  const auto proof = log->prove_inclusion(*index, *size);
  if (!proof) return proof.error().kind() == ErrorKind::usage ? beyond(*log) : unreadable();
  const auto record = log->read(*index, 1);
  if (!record || record->size() != 1) return unreadable();
  std::string out = head_of(*log) + R"(,"index":)" + std::to_string(*index) + R"(,"size":)" +
                    std::to_string(*size) + R"(,"leaf":")" +
                    crypto::to_base64(crypto::as_bytes(record->front().leaf)) + R"(","proof":)";
  append_hashes(*proof, out);
  if (!query->has("size")) {
    out.append(",\"checkpoint\":");
    body::encode_json_string(checkpoint, out);
  }
  return {200, "application/json", out + "}\n"};
}

AdminResponse RecordApi::consistency(const AdminRequest& request,
                                     const RecordReader& reader) const {
  constexpr std::array<std::string_view, 3> kKnown{"from", "to", "log"};
  const auto query = read_query(request, kKnown);
  if (!query) return bad_request(query.error());
  const audit::AuditLog* log = log_of(*query, reader);
  if (log == nullptr) return no_such_log();
  if (hides_size(*query, reader)) return not_yours(request, reader);
  const auto in_files = log->checkpoint_in_files();
  if (!in_files) return unreadable();
  const std::string& checkpoint = *in_files;
  const auto from = query->number("from", 0);
  if (!from) return bad_request(from.error());
  if (!query->has("from")) {
    return admin_problem(400, "malformed-body", "The query needs from: the earlier size.");
  }
  const auto to = query->number("to", audit::open_checkpoint(checkpoint, log->key())->size);
  if (!to) return bad_request(to.error());
  const auto proof = log->prove_consistency(*from, *to);
  if (!proof) return proof.error().kind() == ErrorKind::usage ? beyond(*log) : unreadable();
  std::string out = head_of(*log) + R"(,"from":)" + std::to_string(*from) + R"(,"to":)" +
                    std::to_string(*to) + R"(,"proof":)";
  append_hashes(*proof, out);
  if (!query->has("to")) {
    out.append(",\"checkpoint\":");
    body::encode_json_string(checkpoint, out);
  }
  return {200, "application/json", out + "}\n"};
}

}  // namespace paravent::proxy::admin
