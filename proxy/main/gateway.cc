#include "proxy/main/gateway.h"

#include <csignal>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/reveal/reidentifier.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/admin_server.h"
#include "proxy/main/gateway_metrics.h"
#include "proxy/main/gateway_tls.h"
#include "proxy/main/snapshot_builder.h"
#include "proxy/net/server.h"
#include "proxy/telemetry/access_log.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

namespace {

// How often wait() looks whether an epoch has ended; new keys are ready well within the first
// minute.
constexpr timespec kTick{1, 0};

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// A port in use is something to change in the configuration, unlike a data directory in use.
Error listen_error(const Error& error) {
  if (error.kind() == ErrorKind::busy) return {ErrorKind::configuration, error.sentence()};
  return error;
}

}  // namespace

void block_signals() {
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// In the order in which the parts depend on each other: destruction goes from the last to the
// first.
struct Gateway::State {
  State(std::unique_ptr<Installation> with, const crypto::Clock& time)
      : clock(time), installation(std::move(with)) {}

  const crypto::Clock& clock;
  std::unique_ptr<Installation> installation;
  config::GatewayConfig config;
  PolicySet policies;
  std::shared_ptr<net::tls::TicketKeys> tickets = std::make_shared<net::tls::TicketKeys>();
  GatewayTls tls;
  std::unique_ptr<telemetry::AccessLog> access_log;
  std::unique_ptr<net::Server> server;
  crypto::WallTime keys_valid_until;

  std::optional<crypto::reveal::PrincipalAuthority> authentication;
  std::optional<crypto::reveal::GrantAuthority> granting;
  std::unique_ptr<const crypto::reveal::Reidentifier> reidentifier;
  std::unique_ptr<const policies::AccessPolicy> access;
  std::unique_ptr<admin::FirstCredentials> first_credentials;
  std::unique_ptr<GatewayMetrics> metrics;
  std::unique_ptr<admin::AdminApi> api;
  std::unique_ptr<admin::AdminServer> admin;

  Status admit_names();
  Status record_policy_loads();
  Status read_certificates();
  Status start_data_path();
  Status start_admin();
  Status record(crypto::audit::EventKind event);
  void renew_keys();
};

Status Gateway::State::admit_names() {
  crypto::vault::Vault& vault = installation->vault();
  std::vector<crypto::vault::PolicyNames> names;
  for (const auto& policy : policies.policies) names.push_back(policy_names(policy));
  if (auto status = vault.admit_names(names); !status) {
    return Error(ErrorKind::configuration,
                 status.error().sentence() +
                     " Stop the gateway and run: paravent policy apply FILE --create (or --rename "
                     "OLD=NEW).");
  }
  for (const auto& name : names) {
    const auto id = vault.tenant_id(name.tenant);
    if (!id) return Error(ErrorKind::internal);
    if (auto status = installation->audit().open_tenant(*id); !status) return status;
    // The two operators of init join the first policy's tenant; later ones find nobody without one.
    if (auto status = installation->operators().join_tenant(*id); !status) return status;
  }
  return {};
}

Status Gateway::State::record_policy_loads() {
  for (std::size_t i = 0; i < policies.policies.size(); ++i) {
    const auto id = installation->vault().tenant_id(policies.policies[i].tenant.value);
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::policy_load;
    entry.detail.object =
        crypto::to_hex(crypto::sha256(crypto::as_bytes(policies.sources[i].text)));
    entry.detail.remark = policies.sources[i].name.substr(0, 1024);
    auto receipt = installation->audit().tenant(*id)->append(entry);
    if (!receipt) return receipt.error();
  }
  return {};
}

Status Gateway::State::read_certificates() {
  auto built = build_tls(config, tickets);
  if (!built) return built.error();
  tls = std::move(*built);
  for (const std::string& warning : tls.warnings) {
    std::fprintf(stderr, "paravent: warning: %s\n", warning.c_str());
  }
  return {};
}

Status Gateway::State::start_data_path() {
  if (!config.access_log.empty()) {
    auto log = telemetry::AccessLog::open(config.access_log);
    if (!log) return log.error();
    access_log = std::move(*log);
  }
  auto built = build_snapshot(policies.plan, installation->vault(), config.limits);
  if (!built) return built.error();
  keys_valid_until = built->valid_until;
  net::ServerOptions options;
  for (const config::ListenerConfig& listener : config.listen) {
    options.listen.push_back({listener.address.host, listener.address.port});
  }
  options.tls = tls.listeners;
  options.other_listeners.push_back({config.admin.host, config.admin.port});
  options.workers = config.workers;
  for (const std::string& text : config.trusted_proxies) {
    auto range = net::IpRange::parse(text);
    if (!range) {
      return Error(ErrorKind::configuration,
                   "trusted-proxies: " + text +
                       " is no address range; bits behind the prefix must "
                       "be zero.");
    }
    options.trusted_proxies.push_back(*range);
  }
  options.vault = &installation->vault();
  options.access_log = access_log.get();
  auto started = net::Server::start(options, built->snapshot);
  if (!started) return listen_error(started.error());
  server = std::move(*started);
  return {};
}

Status Gateway::State::start_admin() {
  // The three rights of the way back, each into the hands of one room.
  crypto::reveal::Staircase staircase = crypto::reveal::build_staircase(installation->vault());
  authentication.emplace(std::move(staircase.authentication));
  reidentifier = std::move(staircase.reidentifier);
  granting.emplace(std::move(staircase.access));
  std::vector<policies::TenantPolicy> tenants;
  for (const policies::Policy& policy : policies.policies) {
    tenants.push_back({*installation->vault().tenant_id(policy.tenant.value), &policy});
  }
  access = std::make_unique<const policies::AccessPolicy>(tenants, *granting);
  first_credentials = std::make_unique<admin::FirstCredentials>(installation->directory().path());
  metrics = std::make_unique<GatewayMetrics>(*installation, *server, access_log.get());
  api = std::make_unique<admin::AdminApi>(
      admin::AdminParts{installation->operators(), *first_credentials, installation->audit(),
                        *authentication, *reidentifier, *access, clock},
      [this] { return metrics->text(*api); });
  admin::AdminServerOptions options;
  options.host = config.admin.host;
  options.port = config.admin.port;
  options.tls = tls.admin;
  auto started = admin::AdminServer::start(options, *api);
  if (!started) return listen_error(started.error());
  admin = std::move(*started);
  return {};
}

Status Gateway::State::record(crypto::audit::EventKind event) {
  crypto::audit::AuditEntry entry;
  entry.event = event;
  auto receipt = installation->audit().installation().append(entry);
  if (!receipt) return receipt.error();
  return {};
}

// New epochs, new keys: bound and durable first, then published. Whatever fails leaves the old
// snapshot in force, and the next tick tries again.
void Gateway::State::renew_keys() {
  if (clock.now() < keys_valid_until) return;
  auto built = build_snapshot(policies.plan, installation->vault(), config.limits);
  if (!built) return;
  if (server->publish(built->snapshot)) keys_valid_until = built->valid_until;
}

Result<std::unique_ptr<Gateway>> Gateway::start(const config::GatewayConfig& config,
                                                std::unique_ptr<Installation> installation,
                                                PolicySet policies, const crypto::Clock& clock) {
  auto state = std::make_unique<State>(std::move(installation), clock);
  state->config = config;
  state->policies = std::move(policies);
  if (auto status = state->read_certificates(); !status) return status.error();
  if (auto status = state->record(crypto::audit::EventKind::start); !status) return status.error();
  if (auto status = state->admit_names(); !status) return status.error();
  if (auto status = state->start_data_path(); !status) return status.error();
  if (auto status = state->start_admin(); !status) return status.error();
  if (auto status = state->record_policy_loads(); !status) return status.error();
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gateway::~Gateway() {
  if (state_->admin) state_->admin->stop();
  if (state_->server) state_->server->stop();
}

std::string Gateway::addresses() const {
  std::string text = "listening on ";
  for (std::size_t i = 0; i < state_->config.listen.size(); ++i) {
    config::Address address = state_->config.listen[i].address;
    address.port = state_->server->ports()[i];
    text += (i == 0 ? "" : ", ") + address.text();
  }
  config::Address admin = state_->config.admin;
  admin.port = state_->admin->port();
  return text + ", admin on " + admin.text();
}

Status Gateway::wait() {
  const sigset_t set = ending_signals();
  while (::sigtimedwait(&set, nullptr, &kTick) < 0) state_->renew_keys();
  state_->api->begin_drain();
  state_->server->drain();
  state_->server->stop();
  state_->admin->stop();
  return state_->record(crypto::audit::EventKind::stop);
}

}  // namespace paravent::proxy::main
