#include "proxy/admin/admin_api.h"

#include <algorithm>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "proxy/admin/authenticate.h"
#include "proxy/admin/door_record.h"
#include "proxy/admin/oidc/oidc_entry.h"
#include "proxy/admin/openapi.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {

namespace {

constexpr std::string_view kAdminRole = "admin";

// What a path asks of whoever calls it.
enum class Door : std::uint8_t {
  open,               // nothing
  loopback_or_any,    // nothing on loopback, else any operator
  loopback_or_admin,  // nothing on loopback, else the role admin
  operator_only,
  admin_only,  // the role admin, also on loopback
};

// Where it is asked whether the role may ask at this time of day.
enum class Hours : std::uint8_t {
  here,        // before the handler
  by_handler,  // which knows what was asked for, and puts it on record
  any,         // nowhere: nobody learns anything of anybody
};

// A path that ends in "/*" stands for everything below it.
bool takes(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with("/*")) return pattern == path;
  pattern.remove_suffix(1);
  return path.size() > pattern.size() && path.starts_with(pattern);
}

}  // namespace

struct AdminApi::Route {
  std::string_view method;
  std::string_view path;
  Door door;
  Handler handler;
  Hours hours = Hours::here;
};

std::span<const AdminApi::Route> AdminApi::routes() {
  static constexpr auto kRoutes = std::to_array<Route>({
      {"GET", "/healthz", Door::loopback_or_any, &AdminApi::healthz, Hours::any},
      {"HEAD", "/healthz", Door::loopback_or_any, &AdminApi::healthz, Hours::any},
      {"GET", "/readyz", Door::loopback_or_any, &AdminApi::readyz, Hours::any},
      {"HEAD", "/readyz", Door::loopback_or_any, &AdminApi::readyz, Hours::any},
      {"GET", "/metrics", Door::loopback_or_admin, &AdminApi::metrics},
      {"GET", "/openapi.json", Door::open, &AdminApi::openapi},
      {"GET", "/v1/policy", Door::operator_only, &AdminApi::served_policies},
      {"POST", "/v1/policy/reload", Door::admin_only, &AdminApi::reload_policies},
      {"POST", "/v1/reidentify", Door::operator_only, &AdminApi::reidentify, Hours::by_handler},
      {"POST", "/v1/protect", Door::operator_only, &AdminApi::protect},
      {"POST", "/v1/login", Door::open, &AdminApi::login},
      {"POST", "/v1/enrol", Door::open, &AdminApi::enrol},
      {"POST", "/v1/logout", Door::operator_only, &AdminApi::logout, Hours::any},
      {"GET", "/v1/whoami", Door::operator_only, &AdminApi::whoami, Hours::any},
      {"GET", "/v1/operators", Door::admin_only, &AdminApi::operators},
      {"POST", "/v1/operators", Door::admin_only, &AdminApi::operators},
      {"POST", "/v1/operators/*", Door::admin_only, &AdminApi::operators},
      {"GET", "/v1/oidc", Door::admin_only, &AdminApi::list_oidc},
      {"POST", "/v1/oidc/revoke", Door::admin_only, &AdminApi::revoke_oidc},
      {"GET", "/v1/grants", Door::operator_only, &AdminApi::list_grants},
      {"POST", "/v1/grants", Door::operator_only, &AdminApi::open_grant, Hours::by_handler},
      {"GET", "/v1/grants/*", Door::operator_only, &AdminApi::one_grant},
      {"POST", "/v1/grants/*", Door::operator_only, &AdminApi::one_grant},
      {"GET", "/v1/audit/entries", Door::operator_only, &AdminApi::record},
      {"GET", "/v1/audit/checkpoint", Door::operator_only, &AdminApi::record},
      {"GET", "/v1/audit/proof/inclusion", Door::operator_only, &AdminApi::record},
      {"GET", "/v1/audit/proof/consistency", Door::operator_only, &AdminApi::record},
      {"POST", "/v1/dossier", Door::operator_only, &AdminApi::record},
      {"GET", "/v1/honey-tokens", Door::admin_only, &AdminApi::record},
      {"POST", "/v1/honey-tokens", Door::admin_only, &AdminApi::record},
      {"POST", "/v1/honey-tokens/remove", Door::admin_only, &AdminApi::record},
      {"GET", "/v1/store", Door::admin_only, &AdminApi::store},
      {"POST", "/v1/backup", Door::admin_only, &AdminApi::begin_backup},
      {"GET", "/v1/backup", Door::admin_only, &AdminApi::backup_state},
      {"POST", "/v1/subjects/locate", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::locate>, Hours::by_handler},
      {"POST", "/v1/subjects/export", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::export_all>, Hours::by_handler},
      {"POST", "/v1/subjects/restrict", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::restrict>, Hours::by_handler},
      {"POST", "/v1/subjects/object", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::object>, Hours::by_handler},
      {"POST", "/v1/subjects/erase", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::erase>, Hours::by_handler},
      {"POST", "/v1/subjects/events", Door::operator_only,
       &AdminApi::subjects_at<SubjectDoor::events>, Hours::by_handler},
      {"GET", "/v1/keys", Door::admin_only, &AdminApi::keys},
      {"GET", "/v1/keys/*", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/keys/*", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/rewrap", Door::admin_only, &AdminApi::keys},
      {"GET", "/v1/tenants", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/tenants", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/tenants/*", Door::admin_only, &AdminApi::keys},
      {"GET", "/v1/holds", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/holds", Door::admin_only, &AdminApi::keys},
      {"POST", "/v1/holds/*", Door::admin_only, &AdminApi::keys},
  });
  return kRoutes;
}

void ReidentificationCounters::add(std::string_view role, std::string_view purpose,
                                   std::string_view outcome) {
  const std::lock_guard lock(mutex_);
  ++counts_[{std::string(role), std::string(purpose), std::string(outcome)}];
}

std::map<ReidentificationCounters::Key, std::uint64_t> ReidentificationCounters::read() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

AdminParts AdminApi::current_parts() const {
  const std::lock_guard lock(access_mutex_);
  return parts_;
}

void AdminApi::use_access(std::shared_ptr<const policies::AccessPolicy> access) {
  {
    const std::lock_guard lock(access_mutex_);
    parts_.access = std::move(access);
  }
  ledger_.read_again();  // what nobody counted before may count now
}

AdminResponse AdminApi::handle(const AdminRequest& request) {
  const Route* found = nullptr;
  std::string other_methods;
  for (const Route& route : routes()) {
    if (!takes(route.path, request.path)) continue;
    if (route.method == request.method) {
      found = &route;
    } else {
      other_methods += (other_methods.empty() ? "" : ", ") + std::string(route.method);
    }
  }
  if (found == nullptr) {
    if (other_methods.empty()) return admin_problem(404, "no-route", "There is no such path.");
    AdminResponse refusal = admin_problem(405, "method", "This path takes another method.");
    refusal.headers.emplace_back("Allow", other_methods);  // RFC 9110 15.5.6
    return refusal;
  }
  const bool needs_credential = found->door == Door::operator_only ||
                                found->door == Door::admin_only ||
                                (found->door != Door::open && !request.from_loopback);
  if (!needs_credential) return (this->*found->handler)(request, nullptr);
  Refusal refusal;
  const auto who = authenticate(request, refusal);
  if (!who) {
    // Where nobody learns anything of anybody, a monitor's wrong scope fills no log either.
    if (!refusal.who || found->hours == Hours::any) return std::move(refusal.answer);
    return turned_away(parts_.logs, request, *refusal.who, kScopeRemark, std::move(refusal.answer));
  }
  const bool admins_alone =
      found->door == Door::loopback_or_admin || found->door == Door::admin_only;
  if (admins_alone && who->role != kAdminRole) {
    return turned_away(parts_.logs, request, *who, "role",
                       admin_problem(403, "refused", "This needs the role admin."));
  }
  if (found->hours == Hours::here) {
    if (auto closed = closed_for(request, *who)) return std::move(*closed);
  }
  return (this->*found->handler)(request, &*who);
}

std::optional<Operator> AdminApi::identify(const AdminParts& parts, const AdminRequest& request,
                                           Refusal& refusal) {
  const auto jwt = parts.oidc == nullptr ? std::nullopt : bearer_jwt(request.authorization);
  if (!jwt) {
    return admin::authenticate(parts.operators, parts.first_credentials, request, refusal);
  }
  refusal.answer.status = 401;
  return enter_by_oidc(*parts.oidc, parts.access->rules(), parts.operators, *jwt);
}

std::optional<Operator> AdminApi::authenticate(const AdminRequest& request, Refusal& refusal) {
  auto who = identify(current_parts(), request, refusal);
  if (!who && refusal.answer.status == 401) {
    ++refused_credentials_;
    refusal.answer = parts_.operators.wrong_credentials().one_more(parts_.operators.now(),
                                                                   &parts_.logs.installation());
  }
  return who;
}

AdminResponse AdminApi::healthz(const AdminRequest&, const Operator*) {
  return {200, "application/json", "{\"status\":\"alive\"}\n"};
}

AdminResponse AdminApi::readyz(const AdminRequest&, const Operator*) {
  if (draining_) return {503, "application/json", "{\"status\":\"draining\"}\n"};
  // It takes requests all the same: an alarm is for people, not for load balancers.
  std::string alarms;
  const auto alarm = [&alarms](bool rings, std::string_view name) {
    if (!rings) return;
    alarms.append(alarms.empty() ? ",\"alarms\":[\"" : ",\"").append(name).push_back('"');
  };
  if (parts_.keys != nullptr) {
    alarm(parts_.keys->destruction_is_frozen(), "destruction-frozen");
    alarm(parts_.keys->erasure_is_due(), "erasure-unfinished");
    alarm(parts_.keys->retention_failed(), "retention-failed");
  }
  // At the start it is refused; what the keys have grown by since is used, and said (0022).
  alarm(!crypto::SecretArena::process().lock_status(), "secret-memory-unlocked");
  if (!alarms.empty()) alarms.push_back(']');
  return {200, "application/json", "{\"status\":\"ready\"" + alarms + "}\n"};
}

AdminResponse AdminApi::metrics(const AdminRequest&, const Operator*) {
  return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_()};
}

AdminResponse AdminApi::openapi(const AdminRequest&, const Operator*) {
  return {200, "application/json", std::string(openapi_document())};
}

AdminResponse AdminApi::keys(const AdminRequest& request, const Operator* who) {
  if (parts_.keys == nullptr) return admin_problem(404, "no-route", "There is no such path.");
  return parts_.keys->handle(request, *who);
}

AdminResponse AdminApi::operators(const AdminRequest& request, const Operator* who) {
  return operators_api_.handle(request, *who);
}

AdminResponse AdminApi::login(const AdminRequest& request, const Operator*) {
  return login_desk_.login(request);
}

AdminResponse AdminApi::enrol(const AdminRequest& request, const Operator*) {
  return login_desk_.enrol(request);
}

AdminResponse AdminApi::logout(const AdminRequest& request, const Operator* who) {
  return login_desk_.logout(request, *who);
}

AdminResponse AdminApi::whoami(const AdminRequest&, const Operator* who) {
  std::string out = "{\"operator\":";
  body::encode_json_string(who->name, out);
  out.append(",\"role\":");
  body::encode_json_string(who->role, out);
  return {200, "application/json", out + "}\n"};
}

AdminResponse AdminApi::record(const AdminRequest& request, const Operator* who) {
  const AdminParts parts = current_parts();
  if (parts.record == nullptr) return admin_problem(404, "no-route", "There is no such path.");
  const auto principal = parts.authentication.authenticated(who->name, who->role, who->tenant);
  return parts.record->handle(request, {*who, parts.access->reads_audit(principal),
                                        parts.access->rules().knows(who->tenant)});
}

std::vector<std::string> AdminApi::paths_with_hours() {
  std::vector<std::string> paths;
  for (const Route& route : routes()) {
    // The role admin has none, and nobody else comes further than the door there.
    if (route.door != Door::operator_only || route.hours == Hours::any) continue;
    paths.push_back(std::string(route.method) + " " + std::string(route.path));
  }
  return paths;
}

std::vector<std::string> AdminApi::served_paths() {
  std::vector<std::string> paths;
  for (const Route& route : routes()) {
    paths.push_back(std::string(route.method) + " " + std::string(route.path));
  }
  return paths;
}

}  // namespace paravent::proxy::admin
