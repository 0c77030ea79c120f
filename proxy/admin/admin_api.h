// AdminApi: what the admin listener answers. A table of paths, one handler each; authentication
// first.
//
// Thread safe: its parts are, and the table is built once. The parts must outlive it.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "crypto/base/clock.h"
#include "crypto/reveal/reidentifier.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/authenticate.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/keys/key_api.h"
#include "proxy/admin/oidc/oidc_desk.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/operators/login_desk.h"
#include "proxy/admin/operators/operators_api.h"
#include "proxy/admin/policy_control.h"
#include "proxy/admin/protect_desk.h"
#include "proxy/admin/record_api.h"
#include "proxy/admin/reidentify_lines.h"
#include "proxy/admin/reidentify_request.h"
#include "proxy/admin/store_desk.h"
#include "proxy/admin/subjects/subject_request.h"

namespace paravent::proxy::admin {

struct AdminParts {
  Operators& operators;
  FirstCredentials& first_credentials;
  AuditLogs& logs;
  const crypto::reveal::PrincipalAuthority& authentication;
  const crypto::reveal::Reidentifier& reidentifier;
  std::shared_ptr<const policies::AccessPolicy> access;  // replaced by a reload
  const crypto::Clock& clock;
  crypto::vault::SubjectAdmin subjects;
  PolicyControl* policies = nullptr;  // null: nothing can be reloaded
  KeyApi* keys = nullptr;             // null: its paths answer 404
  LoginRules login_rules{};
  ProtectDesk* protect = nullptr;  // null: its path answers 404
  RecordApi* record = nullptr;     // the same
  OidcDesk* oidc = nullptr;        // null: no issuer is trusted
};

// paravent_reidentifications_total{role,purpose,outcome}: names from policies only.
class ReidentificationCounters {
 public:
  using Key = std::tuple<std::string, std::string, std::string>;
  void add(std::string_view role, std::string_view purpose, std::string_view outcome);
  std::map<Key, std::uint64_t> read() const;

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t> counts_;
};

class AdminApi final : public AdminHandler {
 public:
  // `metrics` gives the text of /metrics.
  // `desk`: must outlive the API; nullptr: its paths are not served.
  AdminApi(const AdminParts& parts, std::function<std::string()> metrics, StoreDesk* desk = nullptr)
      : parts_(parts),
        metrics_(std::move(metrics)),
        desk_(desk),
        operators_api_(parts.operators, parts.logs, parts.policies,
                       [this] { return current_parts().access; }),
        login_desk_(parts.operators, parts.logs, parts.login_rules) {}

  AdminResponse handle(const AdminRequest& request) override;

  // Whoever sends this, if they may ask now: tenant, name and scope, the same for every credential
  // that gives the same. Counts nothing and puts nothing on record.
  std::optional<std::string> caller_of(const AdminRequest& request);

  // Requests from now on are decided by it; those under way keep theirs.
  void use_access(std::shared_ptr<const policies::AccessPolicy> access);

  // From now on /readyz answers 503, so that load balancers look elsewhere.
  void begin_drain() { draining_ = true; }

  // Every method and path that is served, "GET /healthz": what openapi.json must describe.
  static std::vector<std::string> served_paths();
  // Those of them where a role's hours count: there a 403 may say `hours`.
  static std::vector<std::string> paths_with_hours();

  const ReidentificationCounters& counters() const { return counters_; }
  const RecordApi* record() const { return parts_.record; }
  const KeyApi* key_api() const { return parts_.keys; }
  const OidcDesk* oidc() const { return parts_.oidc; }
  std::uint64_t refused_credentials() const { return refused_credentials_.load(); }
  const BudgetLedger& budgets() const { return ledger_; }
  const LoginDesk& logins() const { return login_desk_; }

 private:
  using Handler = AdminResponse (AdminApi::*)(const AdminRequest&, const Operator*);
  struct Route;
  static std::span<const Route> routes();

  AdminParts current_parts() const;
  std::optional<Operator> authenticate(const AdminRequest& request, Refusal& refusal);
  // The same without counting who is wrong.
  static std::optional<Operator> identify(const AdminParts& parts, const AdminRequest& request,
                                          Refusal& refusal);
  // hours_gate.cc. Whether the role may not ask now. An error: the tenant's log cannot be read.
  crypto::Result<bool> outside_hours(const AdminParts& parts, const Operator& who);
  // The answer for whoever comes outside of their hours, put on record.
  std::optional<AdminResponse> closed_for(const AdminRequest& request, const Operator& who);

  AdminResponse healthz(const AdminRequest& request, const Operator* who);
  AdminResponse readyz(const AdminRequest& request, const Operator* who);
  AdminResponse metrics(const AdminRequest& request, const Operator* who);
  AdminResponse openapi(const AdminRequest& request, const Operator* who);
  AdminResponse reidentify(const AdminRequest& request, const Operator* who);
  AdminResponse reidentify_part(const ReidentifyRequest& request, const Operator& who,
                                ResultForm form);
  // reidentify_lines.cc
  AdminResponse reidentify_lines(const AdminRequest& http, ReidentifyRequest request,
                                 const Operator& who);
  // Whether `http` would still be let in, as just this operator with just these rights.
  bool is_still(const AdminRequest& http, const Operator& who);
  // Puts on record what a long answer was asked for and did not come to.
  void record_rest(const ReidentifyRequest& rest, const Operator& who, std::string_view remark);
  AdminResponse keys(const AdminRequest& request, const Operator* who);
  AdminResponse record(const AdminRequest& request, const Operator* who);
  AdminResponse store(const AdminRequest& request, const Operator* who);
  AdminResponse begin_backup(const AdminRequest& request, const Operator* who);
  AdminResponse backup_state(const AdminRequest& request, const Operator* who);
  AdminResponse served_policies(const AdminRequest& request, const Operator* who);
  AdminResponse reload_policies(const AdminRequest& request, const Operator* who);
  // /v1/operators, /v1/login, /v1/enrol, /v1/logout, /v1/whoami
  AdminResponse operators(const AdminRequest& request, const Operator* who);
  AdminResponse login(const AdminRequest& request, const Operator* who);
  AdminResponse enrol(const AdminRequest& request, const Operator* who);
  AdminResponse logout(const AdminRequest& request, const Operator* who);
  AdminResponse whoami(const AdminRequest& request, const Operator* who);
  // oidc/oidc_api.cc
  AdminResponse list_oidc(const AdminRequest& request, const Operator* who);
  AdminResponse revoke_oidc(const AdminRequest& request, const Operator* who);
  // protect_handler.cc
  AdminResponse protect(const AdminRequest& request, const Operator* who);
  // grants/grants_handler.cc
  AdminResponse open_grant(const AdminRequest& request, const Operator* who);
  AdminResponse list_grants(const AdminRequest& request, const Operator* who);
  AdminResponse one_grant(const AdminRequest& request, const Operator* who);
  // subjects/subjects_handler.cc
  AdminResponse subjects(SubjectDoor door, const AdminRequest& request, const Operator& who);
  template <SubjectDoor kDoor>
  AdminResponse subjects_at(const AdminRequest& request, const Operator* who) {
    return subjects(kDoor, request, *who);
  }

  mutable std::mutex access_mutex_;  // guards parts_.access only
  AdminParts parts_;
  std::function<std::string()> metrics_;
  StoreDesk* desk_;
  ReidentificationCounters counters_;
  std::atomic<bool> draining_{false};
  std::atomic<std::uint64_t> refused_credentials_{0};
  BudgetLedger ledger_;
  OperatorsApi operators_api_;
  LoginDesk login_desk_;
};

}  // namespace paravent::proxy::admin
