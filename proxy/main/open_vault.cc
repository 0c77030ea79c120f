#include "proxy/main/open_vault.h"

#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "proxy/main/snapshot_builder.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

Status OpenVault::admit_names() {
  crypto::vault::Vault& vault = installation_.vault();
  std::vector<crypto::vault::PolicyNames> names;
  for (const auto& policy : policies_.policies) names.push_back(policy_names(policy));
  if (auto status = vault.admit_names(names); !status) {
    return Error(ErrorKind::configuration,
                 status.error().sentence() +
                     " Stop the gateway and run: paravent policy apply FILE --create (or --rename "
                     "OLD=NEW).");
  }
  for (const auto& name : names) {
    const auto id = vault.tenant_id(name.tenant);
    if (!id) return Error(ErrorKind::internal);
    if (auto status = installation_.audit().open_tenant(*id); !status) return status;
    // The two operators of init join the first policy's tenant; later ones find nobody without one.
    if (auto status = installation_.operators().join_tenant(*id); !status) return status;
  }
  return {};
}

Status OpenVault::record_policy_loads() {
  for (std::size_t i = 0; i < policies_.policies.size(); ++i) {
    const auto id = installation_.vault().tenant_id(policies_.policies[i].tenant.value);
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::policy_load;
    entry.detail.object =
        crypto::to_hex(crypto::sha256(crypto::as_bytes(policies_.sources[i].text)));
    entry.detail.remark = policies_.sources[i].name.substr(0, 1024);
    auto receipt = installation_.audit().tenant(*id)->append(entry);
    if (!receipt) return receipt.error();
  }
  return {};
}

Result<std::unique_ptr<OpenVault>> OpenVault::create(
    Installation& installation, const PolicySet& policies, admin::FirstCredentials& first,
    const crypto::Clock& clock, std::function<std::string(const admin::AdminApi&)> metrics) {
  std::unique_ptr<OpenVault> made(new OpenVault(installation, policies));
  if (auto status = made->admit_names(); !status) return status.error();
  // The three rights of the way back, each into the hands of one room.
  crypto::reveal::Staircase staircase = crypto::reveal::build_staircase(installation.vault());
  made->authentication_.emplace(std::move(staircase.authentication));
  made->reidentifier_ = std::move(staircase.reidentifier);
  made->granting_.emplace(std::move(staircase.access));
  std::vector<policies::TenantPolicy> tenants;
  for (const policies::Policy& policy : policies.policies) {
    tenants.push_back({*installation.vault().tenant_id(policy.tenant.value), &policy});
  }
  made->access_ = std::make_unique<const policies::AccessPolicy>(tenants, *made->granting_);
  made->api_ = std::make_unique<admin::AdminApi>(
      admin::AdminParts{installation.operators(), first, installation.audit(),
                        *made->authentication_, *made->reidentifier_, *made->access_, clock},
      [metrics = std::move(metrics), vault = made.get()] { return metrics(*vault->api_); });
  return made;
}

}  // namespace paravent::proxy::main
