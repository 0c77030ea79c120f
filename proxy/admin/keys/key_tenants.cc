// KeyApi on tenants: made, and destroyed whole.

#include <array>
#include <string>

#include "proxy/admin/keys/key_act.h"
#include "proxy/admin/keys/key_text.h"

namespace paravent::proxy::admin {

using crypto::Result;
using crypto::vault::KeyAdmin;

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
    return key_problem(possible.error());
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

}  // namespace paravent::proxy::admin
