// OperatorsApi: /v1/operators and what lies below it, for the role admin: people and programs,
// their credentials, their invitations, their end.
//
// Thread safe, as its parts are; they must outlive it. Every change is on the record of the
// operator's tenant before it is made. A credential or code is in the answer once and nowhere else.
// The paths are in operators_api.cc, the changes in operator_changes.cc and
// operator_credentials.cc.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/policy_control.h"

namespace paravent::proxy::admin {

class OperatorsApi {
 public:
  using Access = std::function<std::shared_ptr<const policies::AccessPolicy>()>;
  // `policies`: null where nothing can be reloaded; then only the own tenant has operators.
  OperatorsApi(Operators& operators, AuditLogs& logs, PolicyControl* policies, Access access)
      : operators_(operators), logs_(logs), policies_(policies), access_(std::move(access)) {}

  AdminResponse handle(const AdminRequest& request, const Operator& who);

 private:
  struct Act;
  AdminResponse list(const AdminRequest& request) const;
  AdminResponse add(const BodyMembers& members, const Operator& who);
  AdminResponse add_credential(const BodyMembers& members, const Operator& who,
                               const std::string& name);
  AdminResponse revoke_credential(const Operator& who, const std::string& name, std::string_view id,
                                  const BodyMembers& members);
  AdminResponse revoke(const Operator& who, const std::string& name, const BodyMembers& members);
  AdminResponse enrol(const Operator& who, const std::string& name, const BodyMembers& members);
  AdminResponse unlock(const Operator& who, const std::string& name, const BodyMembers& members);
  AdminResponse act(const Act& act);
  // Where the tenant's policy wants four eyes: the answer, unless `what` was approved.
  std::optional<AdminResponse> ask_second(const Operator& who, const crypto::vault::Id& tenant,
                                          const BodyMembers& members, const std::string& what);

  // What is wrong with the purposes of a credential; one that is none would open nothing.
  std::optional<AdminResponse> check_purposes(const crypto::vault::Id& tenant,
                                              const KeptCredential& wanted) const;
  crypto::Result<KeptCredential> credential_of(const BodyMembers& members) const;
  // kNoId: no such tenant.
  crypto::vault::Id tenant_named(std::string_view name, const Operator& who) const;
  std::string tenant_text(const crypto::vault::Id& tenant) const;
  std::string json_of(const OperatorRecord& one) const;

  Operators& operators_;
  AuditLogs& logs_;
  PolicyControl* policies_;
  Access access_;
};

}  // namespace paravent::proxy::admin
