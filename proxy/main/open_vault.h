// OpenVault: what a gateway has only while its vault is unsealed: the policies' names admitted, the
// tenants' audit logs open, the rights of the way back, and the admin API that has them.
//
// Made by the gateway after Installation::unlock(), gone before Installation::lock(). Borrows all
// it is made from.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/reveal/reidentifier.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/main/installation.h"
#include "proxy/main/policy_set.h"

namespace paravent::proxy::main {

class OpenVault {
 public:
  // ErrorKind::configuration: the vault does not know a name of the policies.
  static crypto::Result<std::unique_ptr<OpenVault>> create(
      Installation& installation, const PolicySet& policies, admin::FirstCredentials& first,
      const crypto::Clock& clock, std::function<std::string(const admin::AdminApi&)> metrics);

  admin::AdminApi& api() { return *api_; }
  // One entry per policy, in its tenant's log.
  crypto::Status record_policy_loads();

 private:
  OpenVault(Installation& installation, const PolicySet& policies)
      : installation_(installation), policies_(policies) {}
  crypto::Status admit_names();

  Installation& installation_;
  const PolicySet& policies_;
  std::optional<crypto::reveal::PrincipalAuthority> authentication_;
  std::optional<crypto::reveal::GrantAuthority> granting_;
  std::unique_ptr<const crypto::reveal::Reidentifier> reidentifier_;
  std::unique_ptr<const policies::AccessPolicy> access_;
  std::unique_ptr<admin::AdminApi> api_;
};

}  // namespace paravent::proxy::main
