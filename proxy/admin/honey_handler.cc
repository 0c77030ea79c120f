// /v1/honey-tokens: for the role admin, which never reveals: whoever can ask for values cannot list
// the decoys, and whoever lists them cannot ask.

#include <algorithm>
#include <array>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/page.h"
#include "proxy/admin/record_api.h"
#include "proxy/admin/text_members.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::ErrorKind;

AdminResponse problem_of(const crypto::Error& error) {
  const std::string& said = error.sentence();
  switch (error.kind()) {
    case ErrorKind::usage:
    case ErrorKind::malformed:
      return admin_problem(400, "malformed-body", said);
    case ErrorKind::refused:
      return admin_problem(409, "refused", said);
    default:
      return admin_problem(503, "store-unavailable", "The honey token could not be kept.");
  }
}

AdminResponse too_many(crypto::WallTime now, crypto::WallTime until) {
  AdminResponse response =
      admin_problem(429, "budget", "A hundred values were planted or tried within the hour.");
  const auto wait = std::chrono::ceil<std::chrono::seconds>(until - now).count();
  response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(wait, 1)));
  return response;
}

void member(std::string_view name, std::string_view text, std::string& out, bool first = false) {
  out.append(first ? "\"" : ",\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

void append_token(const HoneyToken& token, std::string& out) {
  out.push_back('{');
  member("token", token.text, out, true);
  member("route", token.route, out);
  member("field", token.field, out);
  member("note", token.note, out);
  member("planted_by", token.planted_by, out);
  member("planted", utc_text(token.planted), out);
  out.push_back('}');
}

}  // namespace

// Whether somebody has a value is what POST /v1/protect may be asked by a role of its own: so it is
// on record where that is. Without a word of decoys: the reason stands in the installation's log.
AdminResponse RecordApi::taken(const Operator& who, const TextMembers& members) {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::refusal;
  entry.outcome = audit::Outcome::refused;
  name_operator(who, entry.detail);
  entry.detail.object = members.at("route") + " " + members.at("field");
  entry.detail.remark = "a value that somebody has already";
  if (!logs_.tenant_or_installation(who.tenant).append(entry)) return audit_unavailable();
  return admin_problem(409, "refused",
                       "Somebody has this value already, or it was planted before; choose one that "
                       "nobody has.");
}

AdminResponse RecordApi::honey_tokens(const AdminRequest& request, const RecordReader& reader) {
  if (honey_ == nullptr) return admin_problem(404, "no-route", "There is no such path.");
  const Operator& who = reader.who;
  if (request.method == "GET") {
    auto all = honey_->list(who.tenant);
    // In the order of their texts, which has a place for one that is taken away meanwhile.
    std::sort(all.begin(), all.end(),
              [](const HoneyToken& a, const HoneyToken& b) { return a.text < b.text; });
    auto page = page_of(request.query);
    if (!page) return admin_problem(400, "malformed-body", page.error().sentence());
    if (request.query.empty()) page->count = all.size();
    const auto paged =
        page_in<HoneyToken>(all, *page, [](const HoneyToken& token) { return token.text; });
    std::string out = "{\"honey_tokens\":[";
    bool first = true;
    for (const HoneyToken& token : paged.items) {
      if (!first) out.push_back(',');
      first = false;
      append_token(token, out);
    }
    return {200, "application/json", out + end_of_page(paged.next)};
  }
  const bool removing = request.path == "/v1/honey-tokens/remove";
  constexpr std::array<std::string_view, 5> kPlant{"route", "field", "value", "note", "reason"};
  constexpr std::array<std::string_view, 2> kRemove{"token", "reason"};
  auto members =
      removing ? read_text_members(request.body, kRemove) : read_text_members(request.body, kPlant);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  if (crypto::trim((*members)["reason"]).empty()) {
    return admin_problem(400, "malformed-body", "The reason is missing; it goes on the record.");
  }
  // In the installation's log, which operators who reveal cannot read: they shall not learn which
  // tokens these are.
  audit::AuditEntry entry;
  entry.event = audit::EventKind::honey_change;
  name_operator(who, entry.detail);
  entry.detail.reason = (*members)["reason"];
  entry.detail.object = "tenant " + crypto::vault::id_hex(who.tenant);
  entry.detail.remark =
      removing ? "remove" : "plant " + (*members)["route"] + " " + (*members)["field"];
  if (!logs_.installation().append(entry)) return audit_unavailable();
  const auto ended = [&](audit::Outcome outcome) {
    entry.outcome = outcome;
    std::ignore = logs_.installation().append(entry);
  };
  const auto failed = [&](const crypto::Error& error) {
    ended(audit::Outcome::failed);
    return problem_of(error);
  };
  if (removing) {
    const auto gone = honey_->remove(who.tenant, (*members)["token"]);
    if (!gone) return failed(gone.error());
    if (!*gone) return admin_problem(404, "no-such-token", "This is no honey token of yours.");
    return {200, "application/json", "{}\n"};
  }
  HoneyToken wish;
  wish.tenant = who.tenant;
  wish.route = (*members)["route"];
  wish.field = (*members)["field"];
  wish.note = (*members)["note"];
  wish.planted_by = who.name;
  wish.planted = clock_.now();
  const crypto::WallTime now = wish.planted;
  const auto token = honey_->plant(std::move(wish), (*members)["value"]);
  if (!token && token.error().kind() == ErrorKind::busy) {
    ended(audit::Outcome::refused);
    return too_many(now, honey_->may_plant_again(who.tenant));
  }
  if (!token) return failed(token.error());
  if (!*token) {
    ended(audit::Outcome::refused);
    return taken(who, *members);
  }
  std::string out = "{";
  member("token", **token, out, true);
  return {200, "application/json", out + "}\n"};
}

}  // namespace paravent::proxy::admin
