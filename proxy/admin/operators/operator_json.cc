#include "proxy/admin/operators/operator_json.h"

#include <vector>

#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

void list_member(std::string_view name, const std::vector<std::string>& texts, std::string& out) {
  if (texts.empty()) return;
  out.append(",\"").append(name).append("\":[");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out.push_back(',');
    body::encode_json_string(texts[i], out);
  }
  out.push_back(']');
}

}  // namespace

void append_text_member(std::string_view name, std::string_view text, std::string& out) {
  out.append(out.ends_with('{') ? "\"" : ",\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

std::string credential_json(const KeptCredential& credential) {
  std::string out = "{";
  append_text_member("id", credential_id(credential.hash), out);
  append_text_member("created", utc_text(credential.created), out);
  if (credential.expires) append_text_member("expires", utc_text(*credential.expires), out);
  list_member("purposes", credential.scope.purposes, out);
  list_member("paths", credential.scope.paths, out);
  return out + "}";
}

std::string operator_json(const OperatorRecord& one, std::string_view tenant,
                          crypto::WallTime now) {
  std::string out = "{";
  append_text_member("name", one.name, out);
  if (!tenant.empty()) append_text_member("tenant", tenant, out);
  append_text_member("role", one.role, out);
  append_text_member("type", one.person ? "person" : "program", out);
  append_text_member("state",
                     one.revoked                       ? "revoked"
                     : now < one.attempts.locked_until ? "locked"
                                                       : "active",
                     out);
  if (one.revoked) append_text_member("revoked", utc_text(*one.revoked), out);
  if (now < one.attempts.locked_until) {
    append_text_member("locked_until", utc_text(one.attempts.locked_until), out);
  }
  out.append(one.passphrase ? ",\"passphrase\":true" : ",\"passphrase\":false");
  out.append(",\"credentials\":[");
  for (std::size_t i = 0; i < one.credentials.size(); ++i) {
    out.append(i > 0 ? "," : "").append(credential_json(one.credentials[i]));
  }
  return out + "]}";
}

}  // namespace paravent::proxy::admin
