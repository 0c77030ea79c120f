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
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/reveal/reidentifier.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/grants/policy_consent.h"
#include "proxy/admin/idempotency.h"
#include "proxy/admin/keys/key_api.h"
#include "proxy/admin/root_desk.h"
#include "proxy/main/gateway/backup_job.h"
#include "proxy/main/gateway/protector_desk.h"
#include "proxy/main/gateway/record_desk.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/policy_set.h"
#include "proxy/main/keepers/key_keeper.h"
#include "proxy/main/keepers/row_job.h"

namespace paravent::proxy::main {

// What it borrows from the gateway beside the installation.
struct OpenVaultParts {
  admin::FirstCredentials& first;
  const crypto::Clock& clock;
  admin::PolicyControl& policies;
  std::function<void()> keys_changed;         // by the API, which waits for it
  std::function<void()> keeper_changed_keys;  // on the keeper's thread; must not block
  std::function<telemetry::SealedList*()> sealed_list;
  std::function<std::string(const admin::AdminApi&)> metrics;
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  // that requests are served with now
  std::function<std::shared_ptr<const policies::PolicyPlan>()> plan;  // that is served now
  admin::LoginRules logins;
  config::RecordConfig record;
  admin::OidcDesk* oidc = nullptr;  // may be null
  admin::RootDesk* root = nullptr;
};

class OpenVault {
 public:
  // The policies' retentions and clocks are in force afterwards. ErrorKind::configuration: the
  // vault does not know a name of the policies, or one gives more than what needs two people.
  static crypto::Result<std::unique_ptr<OpenVault>> create(Installation& installation,
                                                           const PolicySet& policies,
                                                           const OpenVaultParts& parts);

  admin::AdminApi& api() { return *api_; }
  // What requests go to: the API behind what answers a repeated change with its first answer.
  admin::AdminHandler& handler() { return *idempotent_; }

  // Ends keys on time from here on; not before everything else works.
  void start_keeper();
  void stop_keeper() { keeper_.reset(); }
  // Anchors the last checkpoints. REQUIRES: nobody asks the API any more.
  void end_record();

  crypto::Status admit_names(const PolicySet& set);
  // Whether policies that ask for two people let these be loaded (PolicyConsent::check).
  // `in_force`: null at a start.
  crypto::Status check_consent(const PolicySet& set, const admin::Operator& author,
                               const PolicySet* in_force);
  // Before they are in force.
  crypto::Status keep_consent(const PolicySet& set);
  // What is shorter than before freezes destruction, and an operator has to say that it is meant.
  crypto::Status set_retentions(const PolicySet& set, const config::RecordConfig& record);
  // Of these only which count from an event, after a load that is undone.
  crypto::Status count_from(const PolicySet& set);
  // One entry per policy, in its tenant's log.
  crypto::Status record_policy_loads(const PolicySet& set, const admin::Operator& author,
                                     crypto::audit::Outcome outcome = crypto::audit::Outcome::done);
  std::shared_ptr<const policies::AccessPolicy> access_of(const PolicySet& set) const;

 private:
  OpenVault(Installation& installation, std::function<void()> keeper_changed_keys)
      : installation_(installation), keeper_changed_keys_(std::move(keeper_changed_keys)) {}

  Installation& installation_;
  std::function<void()> keeper_changed_keys_;
  std::optional<crypto::reveal::PrincipalAuthority> authentication_;
  std::optional<crypto::reveal::GrantAuthority> granting_;
  std::unique_ptr<const crypto::reveal::Reidentifier> reidentifier_;
  std::unique_ptr<admin::PolicyConsent> consent_;
  std::unique_ptr<BackupJob> backups_;
  std::unique_ptr<ProtectorDesk> protector_;
  std::unique_ptr<RowJob> rows_;
  std::unique_ptr<admin::KeyApi> key_api_;
  std::unique_ptr<RecordDesk> record_;
  std::unique_ptr<admin::AdminApi> api_;
  std::unique_ptr<admin::IdempotentHandler> idempotent_;
  std::unique_ptr<KeyKeeper> keeper_;
};

// SHA-256 of a policy's text, in hex, as the audit log records it.
std::string hash_of(const PolicySource& source);

}  // namespace paravent::proxy::main
