#include "proxy/admin/subjects/subject_text.h"

#include "crypto/base/encoding.h"
#include "crypto/keys/epoch.h"
#include "proxy/body/json.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::admin {
namespace {

using crypto::vault::SubjectInfo;
using crypto::vault::SubjectPurpose;

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

}  // namespace

void append_list(std::string_view name, const std::vector<std::string>& texts, std::string& out) {
  out.append(",\"").append(name).append("\":[");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out.push_back(',');
    body::encode_json_string(texts[i], out);
  }
  out.push_back(']');
}

void append_subject(const SubjectInfo& subject, const policies::AccessPolicy& access,
                    const crypto::reveal::Principal& principal, std::string& out) {
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
    append_list("recipients", access.recipients(principal, purpose.name), out);
    out.push_back('}');
  }
  out.push_back(']');
}

void append_value(const Asked& asked, const std::string& purpose,
                  const policies::AccessPolicy& access, const crypto::reveal::Principal& principal,
                  std::string& out) {
  const auto& description = asked.described->description();
  out.push_back('{');
  member("token", asked.text, out);
  out.push_back(',');
  member("purpose", purpose, out);
  out.push_back(',');
  member("kind", crypto::kind_name(description.kind), out);
  append_list("fields", access.fields(purpose, description), out);
  append_list("recipients", access.recipients(principal, purpose), out);
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

}  // namespace paravent::proxy::admin
