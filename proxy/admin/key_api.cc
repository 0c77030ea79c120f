#include "proxy/admin/key_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/vault/engine/row_keeper.h"
#include "crypto/vault/engine/subject_keeper.h"
#include "policies/model/period.h"
#include "proxy/admin/destruction_certificate.h"
#include "proxy/admin/key_text.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/page.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::vault::Id;
using crypto::vault::KeyAdmin;
using crypto::vault::KeyInfo;
using crypto::vault::KeyOperation;

AdminResponse problem_of(const Error& error) {
  const std::string& said = error.sentence();
  const auto sentence = [&](std::string_view other) { return said.empty() ? other : said; };
  switch (error.kind()) {
    case ErrorKind::refused:
      return admin_problem(409, "refused", sentence("The state of the key does not allow it."));
    case ErrorKind::usage:
    case ErrorKind::malformed:
    case ErrorKind::configuration:
      return admin_problem(400, "malformed-body", sentence("The request cannot be read."));
    case ErrorKind::busy:
      return admin_problem(409, "refused", sentence("That is under way already."));
    case ErrorKind::sealed:
      return admin_problem(409, "sealed", sentence("A key above this one is out of use."));
    default:
      return admin_problem(503, "store-unavailable", sentence("The key store cannot be written."));
  }
}

AdminResponse json(std::string text) { return {200, "application/json", std::move(text) + "\n"}; }

std::optional<KeyOperation> operation_named(std::string_view name) {
  if (name == "disable") return KeyOperation::disable;
  if (name == "enable") return KeyOperation::enable;
  if (name == "compromise") return KeyOperation::compromise;
  if (name == "override") return KeyOperation::override_compromise;
  if (name == "destroy") return KeyOperation::destroy;
  return std::nullopt;
}

// "a/b" into "a" and "b"; the second empty where there is no slash.
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Every change says why.
Result<TextMembers> members_with_reason(std::string_view body,
                                        std::span<const std::string_view> known) {
  auto members = read_text_members(body, known);
  if (!members) return members.error();
  if (crypto::trim((*members)["reason"]).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  return members;
}

template <typename Items, typename Append>
std::string list_json(std::string_view name, const Items& items, Append append) {
  std::string out = "{\"" + std::string(name) + "\":[";
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out.push_back(',');
    append(item, out);
  }
  return out + "]}";
}

// json() ends the line.
template <typename Item, typename Append>
std::string page_json(std::string_view name, const Paged<Item>& paged, Append append) {
  std::string out = list_json(name, paged.items, append);
  out.resize(out.size() - 2);
  out += end_of_page(paged.next);
  out.pop_back();
  return out;
}

// Whole, or a page of it. REQUIRES: `all` is in the order of its keys.
template <typename Item, typename KeyOf, typename Append>
AdminResponse listed(const AdminRequest& request, std::string_view name,
                     const std::vector<Item>& all, KeyOf key_of, Append append) {
  if (request.query.empty()) return json(list_json(name, all, append));
  const auto page = page_of(request.query);
  if (!page) return admin_problem(400, "malformed-body", page.error().sentence());
  return json(page_json(name, page_in<Item>(all, *page, key_of), append));
}

void append_due_subject(const crypto::vault::DueSubject& one, std::string& out) {
  const auto member = [&](std::string_view name, std::string_view text, bool first = false) {
    out.append(first ? "\"" : ",\"").append(name).append("\":");
    body::encode_json_string(text, out);
  };
  out.push_back('{');
  member("reference", crypto::to_hex(one.reference), true);
  member("tenant", one.tenant_name);
  member("purpose", one.purpose);
  member("disable_due", utc_text(one.due.disable));
  member("destroyed_by", utc_text(one.due.limit));
  if (one.disabled) member("disabled", utc_text(*one.disabled));
  if (one.held_until) member("held_until", utc_text(*one.held_until));
  out.push_back('}');
}

AdminResponse no_such_path() { return admin_problem(404, "no-route", "There is no such path."); }

}  // namespace

// One change: what is recorded, and what then happens.
struct KeyApi::Act {
  const Operator& who;
  const std::string& reason;
  Id tenant{};  // whose log; kNoId: the installation's
  crypto::audit::EventKind event = crypto::audit::EventKind::key_operation;
  std::string object;
  std::string remark;
  // The answer, or what went wrong.
  std::function<Result<std::string>()> work;
};

crypto::audit::AuditLog& KeyApi::log_of(const Id& tenant) const {
  crypto::audit::AuditLog* log = logs_.tenant(tenant);
  return log != nullptr ? *log : logs_.installation();
}

AdminResponse KeyApi::act(const Act& act) {
  crypto::audit::AuditEntry entry;
  entry.event = act.event;
  name_operator(act.who, entry.detail);
  entry.detail.reason = act.reason;
  entry.detail.object = act.object;
  entry.detail.remark = act.remark;
  crypto::audit::AuditLog& log = log_of(act.tenant);
  if (!log.append(entry)) {
    return admin_problem(503, "audit-unavailable",
                         "The audit log cannot be written; nothing was done.");
  }
  auto done = act.work();
  keys_changed_();
  if (rows_ != nullptr) rows_->wake();  // rows of what was destroyed go at once
  if (done) return json(std::move(*done));
  entry.outcome = crypto::audit::Outcome::failed;
  std::ignore = log.append(entry);
  return problem_of(done.error());
}

AdminResponse KeyApi::handle(const AdminRequest& request, const Operator& who) {
  const bool get = request.method == "GET";
  std::string_view path = request.path;
  if (path == "/v1/rewrap") return rewrap(request, who);
  if (path == "/v1/tenants") return get ? list_tenants(request) : create_tenant(request, who);
  if (path == "/v1/holds") return get ? list_holds(request) : hold(request, who);
  if (path == "/v1/keys") return list(request);
  if (path == "/v1/keys/freeze") return freeze();
  if (path == "/v1/keys/confirm") return confirm(request, who);
  if (path == "/v1/keys/when-sealed") return get ? sealed_values() : converted(request, who);
  if (rows_ != nullptr && get && path == "/v1/keys/rows") return json(rows_->state());
  if (rows_ != nullptr && !get && path == "/v1/keys/reseal") return reseal(request, who);
  if (rows_ != nullptr && !get && path == "/v1/keys/reindex") return reindex(request, who);
  const auto below = [&](std::string_view folder) {
    if (!path.starts_with(folder)) return false;
    path.remove_prefix(folder.size());
    return true;
  };
  if (below("/v1/tenants/")) {
    const auto [id, verb] = split(path);
    return !get && verb == "destroy" ? destroy_tenant(request, who, id) : no_such_path();
  }
  if (below("/v1/holds/")) {
    const auto [id, verb] = split(path);
    return !get && verb == "release" ? release(request, who, id) : no_such_path();
  }
  if (below("/v1/keys/")) {
    const auto [id, verb] = split(path);
    if (!get) return operate(request, who, id, verb);
    const auto key = id_from_hex(id);
    if (key && verb == "certificate") return certificate(*key);
  }
  return no_such_path();
}

bool KeyApi::destruction_is_frozen() const {
  return KeyAdmin(vault_).freeze_info().keeper.frozen();
}

bool KeyApi::erasure_is_due() const { return KeyAdmin(vault_).erasure_is_due(); }

AdminResponse KeyApi::list(const AdminRequest& request) const {
  const KeyAdmin keys(vault_);
  constexpr std::string_view kWithin = "within=";
  if (request.query.empty()) return json(list_json("keys", keys.list(), append_key));
  if (!request.query.starts_with(kWithin)) {
    const auto page = page_of(request.query);
    if (!page) {
      return admin_problem(400, "malformed-body",
                           "The query may be within=PERIOD alone, or after and count.");
    }
    using crypto::vault::KeyInfo;
    const auto after = id_from_hex(page->after);
    const auto last = after ? keys.find(*after) : std::nullopt;
    if (!page->after.empty() && !last) return admin_problem(400, "malformed-body", kNoSuchPlace);
    const auto all = keys.list();
    const auto paged = page_in<KeyInfo>(
        all, *page, [](const KeyInfo& one) { return crypto::vault::id_hex(one.record.id); },
        [&](const KeyInfo& one) { return KeyAdmin::is_listed_before(*last, one); });
    return json(page_json("keys", paged, append_key));
  }
  const auto period =
      policies::parse_period(std::string_view(request.query).substr(kWithin.size()));
  if (!period) {
    return admin_problem(400, "malformed-body",
                         "The period is written as in ISO 8601: P30D, P2W, P6M.");
  }
  const crypto::WallTime until = crypto::add_period(clock_.now(), *period);
  std::string out = list_json("keys", keys.due_before(until), append_key);
  // People beside epochs, so that they can be asked first.
  out.pop_back();
  const auto people = crypto::vault::SubjectKeeper::due_before(vault_, until);
  return json(out + "," + list_json("subjects", people, append_due_subject).substr(1));
}

AdminResponse KeyApi::list_tenants(const AdminRequest& request) const {
  const KeyAdmin keys(vault_);
  const auto name_of = [](const auto& tenant) { return tenant.first; };
  const auto append = [&](const auto& tenant, std::string& out) {
    const auto key = keys.tenant_key(tenant.second);
    const auto info = key ? keys.find(*key) : std::nullopt;
    out.append(R"({"id":")").append(crypto::vault::id_hex(tenant.second)).append(R"(","key":)");
    if (info) {
      append_key(*info, out);
    } else {
      out.append("null");
    }
    out.append("}");
  };
  return listed(request, "tenants", vault_.tenants(), name_of, append);
}

AdminResponse KeyApi::list_holds(const AdminRequest& request) const {
  const auto id_of = [](const auto& hold) { return crypto::vault::id_hex(hold.record.id); };
  return listed(request, "holds", KeyAdmin(vault_).holds(), id_of, append_hold);
}

AdminResponse KeyApi::freeze() const {
  std::string out;
  append_freeze(KeyAdmin(vault_).freeze_info(), out);
  return json(std::move(out));
}

AdminResponse KeyApi::certificate(const Id& key) const {
  const auto destruction = KeyAdmin(vault_).destruction_of(key);
  if (!destruction) return problem_of(destruction.error());
  // Without the register nothing can be said about backups.
  const auto backups = crypto::vault::read_key_backups(keys_folder_);
  if (!backups) return problem_of(backups.error());
  const Id tenant = destruction->keys.empty() ? Id{} : destruction->keys.front().record.tenant;
  const std::string text = certificate_text(
      *destruction, key, crypto::vault::id_hex(vault_.installation_id()), *backups);
  return {200, "text/plain; charset=utf-8", log_of(tenant).sign(text)};
}

Result<std::string> KeyApi::person_certificate(const Id& tenant,
                                               const crypto::vault::ErasedSubject& person) const {
  const auto backups = crypto::vault::read_key_backups(keys_folder_);
  if (!backups) return backups.error();
  ErasedPerson erased;
  for (const auto& [name, id] : vault_.tenants()) {
    if (id == tenant) erased.tenant = name;
  }
  erased.tenant_id = tenant;
  erased.reference = person.reference;
  erased.keys = person.keys;
  erased.tokens = person.tokens;
  erased.at = clock_.now();
  return log_of(tenant).sign(
      person_certificate_text(erased, crypto::vault::id_hex(vault_.installation_id()), *backups));
}

AdminResponse KeyApi::operate(const AdminRequest& request, const Operator& who, std::string_view id,
                              std::string_view name) {
  const auto key = id_from_hex(id);
  const auto operation = operation_named(name);
  if (!key || (!operation && name != "rotate")) return no_such_path();
  constexpr std::array<std::string_view, 2> kKnown{"reason", "confirm"};
  const auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  KeyAdmin keys(vault_);
  const Status possible = operation ? keys.check(*key, *operation) : keys.check_rotate(*key);
  const auto info = keys.find(*key);
  if (!info) return admin_problem(404, "no-route", "There is no such key.");
  if (!possible) return problem_of(possible.error());
  const bool destroys = operation == KeyOperation::destroy;
  const auto confirmed = members->find("confirm");
  if (destroys && (confirmed == members->end() || confirmed->second != "destroy")) {
    return admin_problem(
        400, "malformed-body",
        "What is destroyed never comes back: say so with \"confirm\":\"destroy\".");
  }
  const std::string& reason = members->find("reason")->second;
  return act({.who = who,
              .reason = reason,
              .tenant = info->record.tenant,
              .object = "key " + crypto::vault::id_hex(*key),
              .remark = std::string(name) + " " + key_description(*info),
              .work = [&]() -> Result<std::string> {
                std::string out;
                if (destroys) {
                  const auto gone = keys.destroy(std::span(&*key, 1));
                  if (!gone) return gone.error();
                  return list_json("keys", gone->keys, append_key);
                }
                Id shown = *key;
                if (operation) {
                  if (auto s = keys.apply(*key, *operation); !s) return s.error();
                } else {
                  const auto made = keys.rotate(*key);
                  if (!made) return made.error();
                  shown = *made;
                }
                append_key(*keys.find(shown), out);
                return out;
              }});
}

AdminResponse KeyApi::create_tenant(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 2> kKnown{"name", "reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const std::string name = (*members)["name"];
  if (name.empty() || name.size() > crypto::vault::kMaxNameSize) {
    return admin_problem(400, "malformed-body", "The name of a tenant has 1 to 255 bytes.");
  }
  if (vault_.tenant_id(name)) {
    return admin_problem(409, "refused", "There is a tenant of that name already.");
  }
  return act({.who = who,
              .reason = (*members)["reason"],
              .event = crypto::audit::EventKind::names_change,
              .object = "tenant " + name,
              .remark = "created",
              .work = [&]() -> Result<std::string> {
                const auto made = KeyAdmin(vault_).create_tenant(name);
                if (!made) return made.error();
                if (auto s = logs_.open_tenant(*made); !s) return s.error();
                return R"({"id":")" + crypto::vault::id_hex(*made) + "\"}";
              }});
}

AdminResponse KeyApi::destroy_tenant(const AdminRequest& request, const Operator& who,
                                     std::string_view id) {
  constexpr std::array<std::string_view, 2> kKnown{"confirm", "reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto tenant = id_from_hex(id);
  std::string name;
  for (const auto& [one, its_id] : vault_.tenants()) {
    if (tenant && its_id == *tenant) name = one;
  }
  if (name.empty()) return admin_problem(404, "no-route", "There is no such tenant.");
  KeyAdmin keys(vault_);
  if (const auto possible = keys.check_destroy_tenant(*tenant); !possible) {
    return problem_of(possible.error());
  }
  if ((*members)["confirm"] != name) {
    return admin_problem(400, "malformed-body",
                         "Everything of this tenant goes and never comes back: confirm with its "
                         "name.");
  }
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = *tenant,
              .object = "tenant " + crypto::vault::id_hex(*tenant),
              .remark = "destroy tenant " + name,
              .work = [&]() -> Result<std::string> {
                const auto gone = keys.destroy_tenant(*tenant);
                if (!gone) return gone.error();
                return list_json("keys", gone->keys, append_key);
              }});
}

AdminResponse KeyApi::confirm(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 1> kKnown{"reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  return act({.who = who,
              .reason = (*members)["reason"],
              .object = "retention",
              .remark = "confirm: shortened retentions hold, destruction goes on",
              .work = [&]() -> Result<std::string> {
                KeyAdmin keys(vault_);
                if (auto s = keys.confirm(); !s) return s.error();
                std::string out;
                append_freeze(keys.freeze_info(), out);
                return out;
              }});
}

AdminResponse KeyApi::hold(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 5> kKnown{"tenant", "purpose", "until", "reason",
                                                   "subject"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto until = day_from((*members)["until"]);
  const auto tenant = vault_.tenant_id((*members)["tenant"]);
  if (!until) {
    return admin_problem(400, "malformed-body",
                         "until is the day on which the hold ends: 2027-01-31.");
  }
  if (!tenant) return admin_problem(400, "malformed-body", "There is no such tenant.");
  std::optional<crypto::vault::SubjectReference> subject;
  if (const std::string& text = (*members)["subject"]; !text.empty()) {
    const auto bytes = crypto::from_hex(text);
    if (!bytes || bytes->size() != sizeof(crypto::vault::SubjectReference)) {
      return admin_problem(400, "malformed-body",
                           "subject is a reference of 64 hexadecimal digits.");
    }
    std::copy(bytes->begin(), bytes->end(), subject.emplace().begin());
  }
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = *tenant,
              .object = "purpose " + (*members)["purpose"],
              .remark = "hold until " + (*members)["until"],
              .work = [&]() -> Result<std::string> {
                const auto made = KeyAdmin(vault_).hold((*members)["tenant"], (*members)["purpose"],
                                                        subject, (*members)["reason"], *until);
                if (!made) return made.error();
                return R"({"id":")" + crypto::vault::id_hex(*made) + "\"}";
              }});
}

AdminResponse KeyApi::release(const AdminRequest& request, const Operator& who,
                              std::string_view id) {
  constexpr std::array<std::string_view, 1> kKnown{"reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto hold = id_from_hex(id);
  std::optional<crypto::vault::HoldInfo> found;
  for (auto& one : KeyAdmin(vault_).holds()) {
    if (hold && one.record.id == *hold) found = std::move(one);
  }
  if (!found) return admin_problem(404, "no-route", "There is no such hold.");
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = found->record.tenant,
              .object = "purpose " + found->purpose,
              .remark = "release hold " + std::string(id),
              .work = [&]() -> Result<std::string> {
                if (auto s = KeyAdmin(vault_).release(*hold); !s) return s.error();
                return std::string("{}");
              }});
}

AdminResponse KeyApi::reseal(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 1> kKnown{"reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  return act({.who = who,
              .reason = (*members)["reason"],
              .object = "token rows",
              .remark = "re-seal under the current keys",
              .work = [&]() -> Result<std::string> {
                if (auto s = crypto::vault::RowKeeper::want_reseal(vault_); !s) return s.error();
                return rows_->state();
              }});
}

AdminResponse KeyApi::reindex(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 3> kKnown{"tenant", "domain", "reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const auto tenant = vault_.tenant_id((*members)["tenant"]);
  if (!tenant) return admin_problem(400, "malformed-body", "There is no such tenant.");
  return act({.who = who,
              .reason = (*members)["reason"],
              .tenant = *tenant,
              .object = "domain " + (*members)["domain"].substr(0, 255),
              .remark = "move the blind index to a new key",
              .work = [&]() -> Result<std::string> {
                if (auto s = crypto::vault::RowKeeper::want_reindex(vault_, (*members)["tenant"],
                                                                    (*members)["domain"]);
                    !s) {
                  return s.error();
                }
                return rows_->state();
              }});
}

AdminResponse KeyApi::sealed_values() const {
  const telemetry::SealedList* list = sealed_list_ ? sealed_list_() : nullptr;
  auto text = list == nullptr ? Result<std::string>(std::string()) : list->read();
  if (!text) return problem_of(text.error());
  return {200, "text/plain; charset=utf-8", std::move(*text)};
}

AdminResponse KeyApi::converted(const AdminRequest& request, const Operator& who) {
  constexpr std::array<std::string_view, 2> kKnown{"converted", "reason"};
  auto members = members_with_reason(request.body, kKnown);
  if (!members) return admin_problem(400, "malformed-body", members.error().sentence());
  const std::string& text = (*members)["converted"];
  std::uint64_t lines = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
  telemetry::SealedList* list = sealed_list_ ? sealed_list_() : nullptr;
  if (error != std::errc() || end != text.data() + text.size() || lines == 0 || list == nullptr ||
      lines > list->count()) {
    return admin_problem(400, "malformed-body",
                         "converted is how many of the first values of the list are converted.");
  }
  return act({.who = who,
              .reason = (*members)["reason"],
              .object = "values sealed while the vault was",
              .remark = text + " converted",
              .work = [&]() -> Result<std::string> {
                if (auto s = list->drop_first(lines); !s) return s.error();
                return R"({"left":)" + std::to_string(list->count()) + "}";
              }});
}

}  // namespace paravent::proxy::admin
