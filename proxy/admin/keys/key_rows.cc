// KeyApi on what hangs on keys: token rows sealed or indexed anew, values that were sealed while
// the vault was.

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "crypto/vault/engine/upkeep/row_keeper.h"
#include "proxy/admin/keys/key_act.h"

namespace paravent::proxy::admin {

using crypto::Result;

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
  if (!text) return key_problem(text.error());
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
