// Gateway::State: the parts of a running gateway, and how they go from sealed to unsealed and back.
// Private to gateway.cc, gateway_reload.cc, gateway_rewrap.cc and gateway_sealing.cc.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/policy_control.h"
#include "proxy/admin/root_desk.h"
#include "proxy/admin/seal_gate.h"
#include "proxy/main/gateway/gateway.h"
#include "proxy/main/gateway/gateway_metrics.h"
#include "proxy/main/gateway/gateway_tls.h"
#include "proxy/main/gateway/one_offer.h"
#include "proxy/main/gateway/open_vault.h"
#include "proxy/main/gateway/reload.h"
#include "proxy/main/installation/change_root.h"
#include "proxy/main/keepers/issuer_record.h"
#include "proxy/main/keepers/oidc_keeper.h"
#include "proxy/net/server.h"
#include "proxy/telemetry/access_log.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy::main {

// Time enough to hand shares out.
inline constexpr std::chrono::minutes kRootOfferLife{10};

// In the order in which the parts depend on each other: destruction goes from the last to the
// first.
struct Gateway::State final : public admin::SealControl,
                              public admin::PolicyControl,
                              public admin::RootDesk {
  State(std::unique_ptr<Installation> with, const crypto::Clock& time)
      : clock(time),
        installation(std::move(with)),
        first_credentials(installation->directory().path()) {}

  const crypto::Clock& clock;
  std::unique_ptr<Installation> installation;
  admin::FirstCredentials first_credentials;
  ReadFiles read;
  ReloadCounters reloads;
  // Guards what a reload, sealing and unsealing replace: config, served, tls, keys_valid_until and
  // what follows; and the right to publish. A handler of the admin API may wait for it, so whoever
  // closes the gate closes it first.
  mutable std::mutex changing;
  bool ending = false;
  bool workers_end = false;  // a worker that has ended takes nothing over, and never says so
  config::GatewayConfig config;
  PolicySet served;
  std::shared_ptr<net::tls::TicketKeys> tickets = std::make_shared<net::tls::TicketKeys>();
  GatewayTls tls;
  std::unique_ptr<telemetry::AccessLog> access_log;
  std::unique_ptr<net::Server> server;

  crypto::WallTime keys_valid_until;
  std::uint64_t key_changes = 0;  // that the published snapshot knows of
  std::string told_of_keys;       // what was printed last of those that are missing
  bool start_recorded = false;
  bool policies_recorded = false;
  std::uint64_t wrong_secrets = 0;                     // since it was sealed
  mutable std::mutex list_mutex;                       // of sealed_list; once there, it stays
  std::shared_ptr<telemetry::SealedList> sealed_list;  // null: no route goes on while sealed
  bool token_present = true;
  std::chrono::steady_clock::time_point next_look;
  // The issuers' keys do not hang on the vault: they stay while it is sealed. Null: no issuer.
  crypto::SteadyClock steady;
  std::unique_ptr<admin::OidcDesk> oidc;
  IssuerRecord issuer_record;  // guarded by `changing`
  std::unique_ptr<OidcKeeper> oidc_keeper;
  std::unique_ptr<GatewayMetrics> metrics;
  OneOffer<PendingRoot> root_offer{kRootOfferLife};  // waits for its decision
  std::unique_ptr<OpenVault> open;                   // null: sealed
  std::unique_ptr<admin::SealGate> gate;
  std::unique_ptr<admin::AdminServer> admin;

  std::vector<admin::ServedPolicy> policies() const override;
  admin::ReloadOutcome reload(const admin::Operator& author) override;
  crypto::Status take_over(const admin::Operator& author, std::string& remarks,
                           admin::ReloadOutcome& outcome);
  void put_back();

  crypto::Status read_certificates();
  crypto::Status start_oidc();
  // Of the policies that are served, whose record says what about which issuer's keys.
  crypto::Status record_issuer_keys(const PolicySet& set);
  // Opens the vault if nobody has to be asked for that.
  crypto::Status unlock_alone();
  crypto::Status start_data_path();
  crypto::Status start_admin();
  crypto::Status record(crypto::audit::EventKind event, crypto::audit::AuditDetail detail = {});

  static Limits limits_of(const config::GatewayConfig& of);
  // The snapshot of a sealed gateway.
  std::shared_ptr<const Snapshot> sealed_now();
  crypto::Status open_sealed_list();
  bool has_sealed_values() const;
  void remember_for_sealed(const Snapshot& snapshot);
  // What the workers get: with keys, or without while sealed.
  crypto::Result<std::shared_ptr<const Snapshot>> current_snapshot();
  // Once a second: new keys for a new epoch; and whether the token is still there.
  void tick();
  void publish_keys();
  void refuse_until_published();
  void tell(std::string warnings);
  void keys_changed();
  void keeper_changed_keys();
  // True: the epoch has ended without the token, and the gateway has to be sealed.
  bool look_for_token();
  void set_token_present(bool present, const std::string& who);

  // gateway_sealing.cc
  crypto::Status unlock(crypto::vault::RootKey root);
  crypto::Status open_gate();
  void lock_up();
  void seal_without_token();
  // `changing`, with the gate closed.
  std::unique_lock<std::mutex> close_gate();
  admin::SealState seal_state() override;
  crypto::Result<admin::SealState> unseal(const crypto::SecretBytes* secret,
                                          const std::string& who) override;
  crypto::Result<bool> seal(const admin::Operator& who) override;

  // gateway_rewrap.cc
  crypto::Result<admin::RootOffer> prepare(const admin::RootWish& wish) override;
  crypto::Status decide(std::string_view ticket) override;
};

}  // namespace paravent::proxy::main
