#include "proxy/main/gateway/open_vault.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "proxy/admin/name_operator.h"
#include "proxy/main/installation/login_rules.h"
#include "proxy/main/installation/policy_loads.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "proxy/main/keepers/subject_journal.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

namespace {

constexpr std::size_t kMostRemark = 1024;

}  // namespace

std::string hash_of(const PolicySource& source) {
  return crypto::to_hex(crypto::sha256(crypto::as_bytes(source.text)));
}

Status OpenVault::admit_names(const PolicySet& set) {
  crypto::vault::Vault& vault = installation_.vault();
  std::vector<crypto::vault::PolicyNames> names;
  for (const auto& policy : set.policies) names.push_back(policy_names(policy));
  if (auto status = vault.admit_names(names); !status) {
    return Error(ErrorKind::configuration,
                 status.error().sentence() + " No gateway may run meanwhile.");
  }
  for (const auto& name : names) {
    const auto id = vault.tenant_id(name.tenant);
    if (!id) return Error(ErrorKind::internal);
    if (auto status = installation_.audit().open_tenant(*id); !status) return status;
    // The two operators of init join the first policy's tenant; later ones find nobody without one.
    if (auto status = installation_.operators().join_tenant(*id); !status) return status;
  }
  return installation_.audit().open_with_history();
}

Status OpenVault::check_consent(const PolicySet& set, const admin::Operator& author,
                                const PolicySet* in_force) {
  const auto loads = loads_of(set, installation_.vault());
  if (in_force == nullptr) return consent_->check(loads, author);
  std::vector<policies::TenantPolicy> tenants;
  for (const auto& load : loads_of(*in_force, installation_.vault())) {
    tenants.push_back({load.tenant, load.policy});
  }
  const policies::AccessRules rules(tenants);
  return consent_->check(loads, author, &rules);
}

Status OpenVault::keep_consent(const PolicySet& set) {
  return consent_->keep(loads_of(set, installation_.vault()));
}

void OpenVault::end_record() {
  idempotent_.reset();
  api_.reset();
  record_.reset();
}

Status OpenVault::set_retentions(const PolicySet& set, const config::RecordConfig& record) {
  crypto::vault::KeyAdmin keys(installation_.vault());
  const bool was_frozen = keys.freeze_info().keeper.frozen();
  if (auto status = keys.set_retentions(purpose_retentions(set.policies)); !status) return status;
  if (auto status = keys.set_audit_retention(record.retention); !status) return status;
  if (!keys.freeze_info().keeper.frozen()) return {};
  std::fputs(
      "paravent: warning: the destruction of keys is frozen; see paravent keys freeze, then run "
      "paravent keys confirm.\n",
      stderr);
  if (was_frozen) return {};
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.object = "retention";
  entry.detail.remark = "freeze: a policy load shortened a retention";
  auto receipt = installation_.audit().installation().append(entry);
  if (!receipt) return receipt.error();
  return {};
}

Status OpenVault::count_from(const PolicySet& set) {
  return crypto::vault::KeyAdmin(installation_.vault())
      .count_from(purpose_retentions(set.policies));
}

void OpenVault::start_keeper() {
  keeper_ = std::make_unique<KeyKeeper>(
      installation_.vault(), installation_.audit(),
      [this] {
        keeper_changed_keys_();
        rows_->wake();
      },
      [this](bool failed) { key_api_->say_of_retention(failed); });
}

Status OpenVault::record_policy_loads(const PolicySet& set, const admin::Operator& author,
                                      crypto::audit::Outcome outcome) {
  for (std::size_t i = 0; i < set.policies.size(); ++i) {
    const auto id = installation_.vault().tenant_id(set.policies[i].tenant.value);
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::policy_load;
    entry.outcome = outcome;
    admin::name_operator(author, entry.detail);
    entry.detail.object = hash_of(set.sources[i]);
    entry.detail.remark = set.sources[i].name.substr(0, kMostRemark);
    if (const admin::Case* approval = consent_->approval(*id)) {
      entry.detail.remark += ", asked for by " + approval->requester + ", approved by " +
                             approval->approver + " (" + approval->approver_role + ")";
      entry.detail.grant = crypto::as_text(approval->id);
    }
    auto receipt = installation_.audit().tenant(*id)->append(entry);
    if (!receipt) return receipt.error();
  }
  return {};
}

std::shared_ptr<const policies::AccessPolicy> OpenVault::access_of(const PolicySet& set) const {
  std::vector<policies::TenantPolicy> tenants;
  for (const policies::Policy& policy : set.policies) {
    tenants.push_back({*installation_.vault().tenant_id(policy.tenant.value), &policy});
  }
  return std::make_shared<const policies::AccessPolicy>(tenants, *granting_);
}

Result<std::unique_ptr<OpenVault>> OpenVault::create(Installation& installation,
                                                     const PolicySet& policies,
                                                     const OpenVaultParts& parts) {
  std::unique_ptr<OpenVault> made(new OpenVault(installation, parts.keeper_changed_keys));
  if (auto status = made->admit_names(policies); !status) return status.error();
  made->consent_ = std::make_unique<admin::PolicyConsent>(
      installation.directory().operators(), installation.operators(), installation.audit());
  if (auto status = made->check_consent(policies, admin::nobody({}), nullptr); !status)
    return status.error();
  if (auto status = made->set_retentions(policies, parts.record); !status) return status.error();
  // The three rights of the way back, each into the hands of one room.
  crypto::reveal::Staircase staircase = crypto::reveal::build_staircase(installation.vault());
  made->authentication_.emplace(std::move(staircase.authentication));
  made->reidentifier_ = std::move(staircase.reidentifier);
  made->granting_.emplace(std::move(staircase.access));
  made->backups_ = std::make_unique<BackupJob>(installation, parts.clock);
  made->rows_ = std::make_unique<RowJob>(installation.vault(), installation.audit());
  made->key_api_ = std::make_unique<admin::KeyApi>(
      installation.vault(), installation.audit(), parts.clock, parts.keys_changed,
      made->rows_.get(), parts.sealed_list, parts.root);
  made->key_api_->at_right_clock([&installation] { return installation.operators().date_back(); });
  auto record = RecordDesk::create(installation, parts.record, parts.clock, parts.plan);
  if (!record) return record.error();
  made->record_ = std::move(*record);
  made->protector_ = std::make_unique<ProtectorDesk>(parts.snapshot, installation.vault());
  const auto seed = installation.vault().audit_signing_seed(std::nullopt);
  if (!seed) return seed.error();
  admin::LoginRules logins = parts.logins;
  logins.names = login_names_key(*seed);
  made->api_ = std::make_unique<admin::AdminApi>(
      admin::AdminParts{installation.operators(), parts.first, installation.audit(),
                        *made->authentication_, *made->reidentifier_, made->access_of(policies),
                        parts.clock, crypto::vault::SubjectAdmin(installation.vault()),
                        &parts.policies, made->key_api_.get(), logins, made->protector_.get(),
                        &made->record_->api(), parts.oidc},
      [metrics = parts.metrics, vault = made.get()] { return metrics(*vault->api_); },
      made->backups_.get());
  made->idempotent_ = std::make_unique<admin::IdempotentHandler>(
      *made->api_, parts.clock, [api = made->api_.get()](const admin::AdminRequest& request) {
        return api->caller_of(request);
      });
  return made;
}

}  // namespace paravent::proxy::main
