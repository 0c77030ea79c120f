// KeyApi shows: keys, what is due, tenants, holds, the freeze.

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/upkeep/subject_keeper.h"
#include "policies/model/period.h"
#include "proxy/admin/keys/key_act.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/page.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::vault::KeyAdmin;
using crypto::vault::KeyInfo;

// key_answer() ends the line.
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
  if (request.query.empty()) return key_answer(list_json(name, all, append));
  const auto page = page_of(request.query);
  if (!page) return admin_problem(400, "malformed-body", page.error().sentence());
  return key_answer(page_json(name, page_in<Item>(all, *page, key_of), append));
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

}  // namespace

AdminResponse KeyApi::list(const AdminRequest& request) const {
  const KeyAdmin keys(vault_);
  constexpr std::string_view kWithin = "within=";
  if (request.query.empty()) return key_answer(list_json("keys", keys.list(), append_key));
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
    return key_answer(page_json("keys", paged, append_key));
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
  return key_answer(out + "," + list_json("subjects", people, append_due_subject).substr(1));
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
  return key_answer(std::move(out));
}

}  // namespace paravent::proxy::admin
