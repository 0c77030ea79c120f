// KeyApi on one key: its operations, and the certificates of what was destroyed.

#include <array>
#include <optional>
#include <string>

#include "proxy/admin/keys/destruction_certificate.h"
#include "proxy/admin/keys/key_act.h"
#include "proxy/admin/keys/key_text.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Result;
using crypto::Status;
using crypto::vault::Id;
using crypto::vault::KeyAdmin;
using crypto::vault::KeyOperation;

std::optional<KeyOperation> operation_named(std::string_view name) {
  if (name == "disable") return KeyOperation::disable;
  if (name == "enable") return KeyOperation::enable;
  if (name == "compromise") return KeyOperation::compromise;
  if (name == "override") return KeyOperation::override_compromise;
  if (name == "destroy") return KeyOperation::destroy;
  return std::nullopt;
}

}  // namespace

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
  if (!possible) return key_problem(possible.error());
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

AdminResponse KeyApi::certificate(const Id& key) const {
  const auto destruction = KeyAdmin(vault_).destruction_of(key);
  if (!destruction) return key_problem(destruction.error());
  const Id tenant = destruction->keys.empty() ? Id{} : destruction->keys.front().record.tenant;
  const std::string text =
      certificate_text(*destruction, key, crypto::vault::id_hex(vault_.installation_id()),
                       vault_.key_backups(), clock_.now());
  return {200, "text/plain; charset=utf-8", log_of(tenant).sign(text)};
}

Result<std::string> KeyApi::person_certificate(const Id& tenant,
                                               const crypto::vault::ErasedSubject& person) const {
  ErasedPerson erased;
  for (const auto& [name, id] : vault_.tenants()) {
    if (id == tenant) erased.tenant = name;
  }
  erased.tenant_id = tenant;
  erased.reference = person.reference;
  erased.keys = person.keys;
  erased.tokens = person.tokens;
  erased.at = clock_.now();
  return log_of(tenant).sign(person_certificate_text(
      erased, crypto::vault::id_hex(vault_.installation_id()), vault_.key_backups()));
}

}  // namespace paravent::proxy::admin
