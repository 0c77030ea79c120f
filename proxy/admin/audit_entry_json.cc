#include "proxy/admin/audit_entry_json.h"

#include <array>
#include <cstdio>

#include "crypto/base/encoding.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

void member(std::string_view name, std::string_view text, std::string& out) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  if (body::is_valid_utf8(text)) {
    body::encode_json_string(text, out);
  } else {
    body::encode_json_string(crypto::to_hex(crypto::as_bytes(text)), out);
  }
}

void append_detail(const audit::AuditDetail& detail, std::string& out) {
  member("operator", detail.operator_name, out);
  member("role", detail.role, out);
  member("purpose", detail.purpose, out);
  member("reason", detail.reason, out);
  member("subject", crypto::to_hex(crypto::as_bytes(detail.subject)), out);
  member("object", detail.object, out);
  member("remark", detail.remark, out);
  member("grant", crypto::to_hex(crypto::as_bytes(detail.grant)), out);
  member("credential", detail.credential, out);
  if (detail.tokens.empty()) return;
  out.append(",\"tokens\":[");
  bool first = true;
  for (const audit::AuditToken& token : detail.tokens) {
    out.append(first ? "{" : ",{");
    first = false;
    out.append(R"("key_id":")").append(key_id_text(token.key_id));
    out.append(R"(","sha256":")").append(crypto::to_hex(token.digest)).append("\"}");
  }
  out.push_back(']');
}

}  // namespace

std::string audit_time_text(crypto::WallTime time) {
  const auto ms = time.time_since_epoch().count() % 1000;
  std::string text = utc_text(time);
  if (text.ends_with('Z')) text.pop_back();
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms));
  return text + fraction.data();
}

void append_audit_entry(const audit::AuditRecord& record, DetailView view, std::string& out,
                        bool open) {
  out.append("{\"index\":").append(std::to_string(record.open.sequence));
  member("time", audit_time_text(record.open.time), out);
  member("event", audit::event_name(record.open.event), out);
  member("outcome", audit::outcome_name(record.open.outcome), out);
  member("leaf", crypto::to_base64(crypto::as_bytes(record.leaf)), out);
  if (!record.detail) {
    out.append(R"(,"detail":"gone")");
  } else if (view == DetailView::withheld) {
    out.append(R"(,"detail":"withheld")");
  } else {
    out.append(R"(,"detail":"shown")");
    append_detail(*record.detail, out);
  }
  if (!open) out.push_back('}');
}

void append_hashes(const std::vector<audit::Hash>& hashes, std::string& out) {
  out.push_back('[');
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    out.append(i > 0 ? ",\"" : "\"");
    crypto::append_base64(out, hashes[i]);
    out.push_back('"');
  }
  out.push_back(']');
}

}  // namespace paravent::proxy::admin
