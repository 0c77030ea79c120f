#include "proxy/admin/keys/key_api.h"

#include <string>
#include <tuple>
#include <utility>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/keys/key_act.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/name_operator.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::vault::Id;
using crypto::vault::KeyAdmin;

// "a/b" into "a" and "b"; the second empty where there is no slash.
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

AdminResponse key_problem(const Error& error) {
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

AdminResponse key_answer(std::string text) {
  return {200, "application/json", std::move(text) + "\n"};
}

Result<TextMembers> members_with_reason(std::string_view body,
                                        std::span<const std::string_view> known) {
  auto members = read_text_members(body, known);
  if (!members) return members.error();
  if (crypto::trim((*members)["reason"]).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  return members;
}

AdminResponse no_such_path() { return admin_problem(404, "no-route", "There is no such path."); }

crypto::audit::AuditLog& KeyApi::log_of(const Id& tenant) const {
  return logs_.tenant_or_installation(tenant);
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
    return audit_unavailable();
  }
  auto done = act.work();
  keys_changed_();
  if (rows_ != nullptr) rows_->wake();  // rows of what was destroyed go at once
  if (done) return key_answer(std::move(*done));
  entry.outcome = crypto::audit::Outcome::failed;
  std::ignore = log.append(entry);
  return key_problem(done.error());
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
  if (rows_ != nullptr && get && path == "/v1/keys/rows") return key_answer(rows_->state());
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

}  // namespace paravent::proxy::admin
