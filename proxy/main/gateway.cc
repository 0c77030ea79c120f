#include "proxy/main/gateway.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/reveal/reidentifier.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/admin_server.h"
#include "proxy/admin/idempotency.h"
#include "proxy/main/backup_job.h"
#include "proxy/main/gateway_metrics.h"
#include "proxy/main/gateway_tls.h"
#include "proxy/main/key_keeper.h"
#include "proxy/main/record_desk.h"
#include "proxy/main/snapshot_builder.h"
#include "proxy/main/subject_journal.h"
#include "proxy/net/memory_watch.h"
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

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// What the file leaves to the machine.
Limits known_limits(const config::GatewayConfig& config) {
  Limits limits = config.limits;
  if (limits.memory_bytes == 0) limits.memory_bytes = net::memory_of_machine();
  return limits;
}

// A port in use is something to change in the configuration, unlike a data directory in use.
Error listen_error(const Error& error) {
  if (error.kind() == ErrorKind::busy) return {ErrorKind::configuration, error.sentence()};
  return error;
}

constexpr std::size_t kMostRemark = 1024;

std::string hash_of(const PolicySource& source) {
  return crypto::to_hex(crypto::sha256(crypto::as_bytes(source.text)));
}

bool same_sources(const PolicySet& a, const PolicySet& b) {
  return std::equal(a.sources.begin(), a.sources.end(), b.sources.begin(), b.sources.end(),
                    [](const PolicySource& one, const PolicySource& other) {
                      return one.name == other.name && one.text == other.text;
                    });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

void block_signals() {
  const sigset_t set = awaited_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

// In the order in which the parts depend on each other: destruction goes from the last to the
// first.
struct Gateway::State final : admin::PolicyControl {
  State(std::unique_ptr<Installation> with, const crypto::Clock& time)
      : clock(time), installation(std::move(with)) {}

  const crypto::Clock& clock;
  std::unique_ptr<Installation> installation;
  ReadFiles read;
  ReloadCounters reloads;
  // Guards what a reload replaces: config, served, tls, keys_valid_until; and the right to publish.
  mutable std::mutex changing;
  bool ending = false;
  config::GatewayConfig config;
  PolicySet served;
  std::shared_ptr<net::tls::TicketKeys> tickets = std::make_shared<net::tls::TicketKeys>();
  GatewayTls tls;
  std::unique_ptr<telemetry::AccessLog> access_log;
  std::unique_ptr<net::Server> server;
  crypto::WallTime keys_valid_until;
  std::uint64_t key_changes = 0;  // that the published snapshot knows of

  std::optional<crypto::reveal::PrincipalAuthority> authentication;
  std::optional<crypto::reveal::GrantAuthority> granting;
  std::unique_ptr<const crypto::reveal::Reidentifier> reidentifier;
  std::unique_ptr<admin::FirstCredentials> first_credentials;
  std::unique_ptr<GatewayMetrics> metrics;
  std::unique_ptr<BackupJob> backups;
  std::unique_ptr<admin::KeyApi> key_api;
  std::unique_ptr<RecordDesk> record_desk;
  std::unique_ptr<admin::AdminApi> api;
  std::unique_ptr<admin::IdempotentHandler> idempotent;
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<KeyKeeper> keeper;

  std::vector<admin::ServedPolicy> policies() const override;
  admin::ReloadOutcome reload(std::string_view author) override;
  Status take_over(std::string_view author, std::string& remarks);

  Status admit_names(const PolicySet& set);
  Status set_retentions(const PolicySet& set, const config::RecordConfig& record_config);
  Status record_policy_loads(const PolicySet& set, std::string_view author);
  std::shared_ptr<const policies::AccessPolicy> access_of(const PolicySet& set) const;
  Status read_certificates();
  Status start_data_path();
  Status start_admin();
  Status record(crypto::audit::EventKind event);
  Status set_subject_clocks(const PolicySet& set);
  void renew_keys();
  void keys_changed();
  void publish_keys();
};

Status Gateway::State::admit_names(const PolicySet& set) {
  crypto::vault::Vault& vault = installation->vault();
  std::vector<crypto::vault::PolicyNames> names;
  for (const auto& policy : set.policies) names.push_back(policy_names(policy));
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

// What is shorter than before freezes destruction, and an operator has to say that it is meant.
Status Gateway::State::set_retentions(const PolicySet& set,
                                      const config::RecordConfig& record_config) {
  crypto::vault::KeyAdmin keys(installation->vault());
  const bool was_frozen = keys.freeze_info().keeper.frozen();
  if (auto status = keys.set_retentions(purpose_retentions(set.policies)); !status) return status;
  if (auto status = keys.set_audit_retention(record_config.retention); !status) return status;
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
  auto receipt = installation->audit().installation().append(entry);
  if (!receipt) return receipt.error();
  return {};
}

Status Gateway::State::record_policy_loads(const PolicySet& set, std::string_view author) {
  for (std::size_t i = 0; i < set.policies.size(); ++i) {
    const auto id = installation->vault().tenant_id(set.policies[i].tenant.value);
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::policy_load;
    entry.detail.operator_name = author;
    entry.detail.object = hash_of(set.sources[i]);
    entry.detail.remark = set.sources[i].name.substr(0, kMostRemark);
    auto receipt = installation->audit().tenant(*id)->append(entry);
    if (!receipt) return receipt.error();
  }
  return {};
}

Status Gateway::State::read_certificates() {
  auto built = build_tls(config, *served.plan, tickets);
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
  key_changes = crypto::vault::KeyAdmin(installation->vault()).changes();
  auto built = build_snapshot(served.plan, installation->vault(), known_limits(config));
  if (!built) return built.error();
  keys_valid_until = built->valid_until;
  net::ServerOptions options;
  for (const config::ListenerConfig& listener : config.listen) {
    options.listen.push_back(
        {listener.address.host, listener.address.port, listener.proxy_protocol});
  }
  options.tls = tls.listeners;
  options.upstreams = tls.upstreams;
  if (config.admin.unix_path.empty()) {
    options.other_listeners.push_back({config.admin.host, config.admin.port, false});
  }
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

std::shared_ptr<const policies::AccessPolicy> Gateway::State::access_of(
    const PolicySet& set) const {
  std::vector<policies::TenantPolicy> tenants;
  for (const policies::Policy& policy : set.policies) {
    tenants.push_back({*installation->vault().tenant_id(policy.tenant.value), &policy});
  }
  return std::make_shared<const policies::AccessPolicy>(tenants, *granting);
}

Status Gateway::State::start_admin() {
  // The three rights of the way back, each into the hands of one room.
  crypto::reveal::Staircase staircase = crypto::reveal::build_staircase(installation->vault());
  authentication.emplace(std::move(staircase.authentication));
  reidentifier = std::move(staircase.reidentifier);
  granting.emplace(std::move(staircase.access));
  first_credentials = std::make_unique<admin::FirstCredentials>(installation->directory().path());
  metrics = std::make_unique<GatewayMetrics>(*installation, *server, access_log.get(), reloads);
  backups = std::make_unique<BackupJob>(*installation, clock);
  auto desk = RecordDesk::create(*installation, config.record, clock, [this] {
    const std::lock_guard lock(changing);
    return served.plan;
  });
  if (!desk) return desk.error();
  record_desk = std::move(*desk);
  key_api =
      std::make_unique<admin::KeyApi>(installation->vault(), installation->audit(), clock,
                                      installation->directory().keys(), [this] { keys_changed(); });
  api = std::make_unique<admin::AdminApi>(
      admin::AdminParts{installation->operators(), *first_credentials, installation->audit(),
                        *authentication, *reidentifier, access_of(served), clock,
                        crypto::vault::SubjectAdmin(installation->vault()), this, key_api.get(),
                        &record_desk->api()},
      [this] { return metrics->text(*api); }, backups.get());
  admin::AdminServerOptions options;
  options.host = config.admin.host;
  options.port = config.admin.port;
  options.unix_path = config.admin.unix_path;
  options.tls = tls.admin;
  idempotent = std::make_unique<admin::IdempotentHandler>(*api, clock);
  auto started = admin::AdminServer::start(options, *idempotent);
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

Status Gateway::State::set_subject_clocks(const PolicySet& set) {
  std::vector<crypto::vault::SubjectClockRule> rules;
  for (const policies::Policy& policy : set.policies) {
    for (auto& rule : subject_clocks(policy)) rules.push_back(std::move(rule));
  }
  return crypto::vault::SubjectKeeper::set_clocks(installation->vault(), rules);
}

void Gateway::State::renew_keys() {
  const std::unique_lock lock(changing, std::try_to_lock);
  if (lock) publish_keys();
}

// On the thread of whoever changed keys: before it answers, nothing protects any more with what may
// not be used any more.
void Gateway::State::keys_changed() {
  const std::lock_guard lock(changing);
  publish_keys();
}

// New epochs, new keys: bound and durable first, then published. Whatever fails leaves the old
// snapshot in force, and the next tick tries again; but a key that an operator took out of use must
// not go on protecting, so then the routes that need keys are refused until it works.
// REQUIRES: `changing` is held.
void Gateway::State::publish_keys() {
  const std::uint64_t changes = crypto::vault::KeyAdmin(installation->vault()).changes();
  if (changes == key_changes && clock.now() < keys_valid_until) return;
  auto built = build_snapshot(served.plan, installation->vault(), known_limits(config));
  if (built) {
    if (!server->publish(built->snapshot)) return;
    keys_valid_until = built->valid_until;
    key_changes = changes;
  } else if (changes != key_changes) {
    std::ignore = server->publish(sealed_snapshot(served.plan, known_limits(config)));
  }
}

std::vector<admin::ServedPolicy> Gateway::State::policies() const {
  const std::lock_guard lock(changing);
  std::vector<admin::ServedPolicy> list;
  for (std::size_t i = 0; i < served.policies.size(); ++i) {
    const std::string& tenant = served.policies[i].tenant.value;
    const PolicySource& source = served.sources[i];
    list.push_back({installation->vault().tenant_id(tenant).value_or(crypto::vault::kNoId), tenant,
                    source.name, hash_of(source), source.text});
  }
  return list;
}

// Everything that may be wrong is found before anything changes; the record is durable before the
// new snapshot is published; and every request sees either the old one or the new one.
Status Gateway::State::take_over(std::string_view author, std::string& remarks) {
  if (ending) return Error(ErrorKind::busy, "The gateway is stopping; it takes over nothing more.");
  auto files = read(remarks);
  if (!files) return files.error();
  if (auto status = check_reloadable(config, files->config); !status) return status;
  // The same texts are the same plan: counters and upstream connections stay.
  if (same_sources(served, files->policies)) files->policies.plan = served.plan;
  if (auto status = admit_names(files->policies); !status) return status;
  auto certificates = build_tls(files->config, *files->policies.plan, tickets);
  if (!certificates) return certificates.error();
  for (const std::string& warning : certificates->warnings) remarks += "warning: " + warning + "\n";
  auto built =
      build_snapshot(files->policies.plan, installation->vault(), known_limits(files->config));
  if (!built) return built.error();
  auto publication =
      server->prepare(built->snapshot, certificates->listeners, certificates->upstreams);
  if (!publication) return publication.error();
  if (auto status = record_policy_loads(files->policies, author); !status) {
    return Error(ErrorKind::disk_full, "The reload cannot be put on record, so nothing changed.");
  }
  if (auto status = set_retentions(files->policies, files->config.record); !status) return status;
  if (auto status = server->publish(*publication); !status) return status;
  if (auto status = set_subject_clocks(files->policies); !status) return status;
  api->use_access(access_of(files->policies));
  if (certificates->admin) admin->use_certificates(certificates->admin);
  config = std::move(files->config);
  served = std::move(files->policies);
  tls = std::move(*certificates);
  keys_valid_until = built->valid_until;
  return {};
}

admin::ReloadOutcome Gateway::State::reload(std::string_view author) {
  const std::lock_guard lock(changing);
  std::string remarks;
  const Status status = take_over(author, remarks);
  admin::ReloadOutcome outcome;
  outcome.done = static_cast<bool>(status);
  outcome.diagnostics = lines_of(remarks);
  std::fputs(remarks.c_str(), stderr);
  if (outcome.done) {
    ++reloads.done;
    std::fprintf(stderr, "paravent: reloaded for %.*s.\n", static_cast<int>(author.size()),
                 author.data());
    return outcome;
  }
  ++reloads.refused;
  outcome.audit_failed = status.error().kind() == ErrorKind::disk_full;
  outcome.sentence = status.error().sentence();
  std::fprintf(stderr, "paravent: the reload is refused and everything stays as it was: %s\n",
               outcome.sentence.c_str());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::policy_load;
  entry.outcome = crypto::audit::Outcome::refused;
  entry.detail.operator_name = author;
  entry.detail.remark = outcome.sentence.substr(0, kMostRemark);
  // Nothing changed, so nothing hangs on this record.
  (void)installation->audit().installation().append(entry);
  return outcome;
}

Result<std::unique_ptr<Gateway>> Gateway::start(GatewayFiles files, ReadFiles read,
                                                std::unique_ptr<Installation> installation,
                                                const crypto::Clock& clock) {
  auto state = std::make_unique<State>(std::move(installation), clock);
  state->read = std::move(read);
  state->config = std::move(files.config);
  state->served = std::move(files.policies);
  if (auto status = state->read_certificates(); !status) return status.error();
  if (auto status = state->record(crypto::audit::EventKind::start); !status) return status.error();
  if (auto status = state->admit_names(state->served); !status) return status.error();
  if (auto status = state->set_retentions(state->served, state->config.record); !status)
    return status.error();
  if (auto status = state->set_subject_clocks(state->served); !status) return status.error();
  if (auto status = state->start_data_path(); !status) return status.error();
  if (auto status = state->start_admin(); !status) return status.error();
  if (auto status = state->record_policy_loads(state->served, "start of the gateway"); !status) {
    return status.error();
  }
  state->keeper =
      std::make_unique<KeyKeeper>(state->installation->vault(), state->installation->audit(),
                                  [raw = state.get()] { raw->keys_changed(); });
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gateway::~Gateway() {
  state_->keeper.reset();  // it publishes through the server
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
  if (admin.unix_path.empty()) admin.port = state_->admin->port();
  return text + ", admin on " + admin.text();
}

Status Gateway::wait() {
  const sigset_t set = awaited_signals();
  for (int signal = -1; signal != SIGTERM && signal != SIGINT;) {
    signal = ::sigtimedwait(&set, nullptr, &kTick);
    if (signal == SIGHUP) state_->reload("SIGHUP");
    if (signal < 0) state_->renew_keys();
  }
  {
    // No reload begins any more, and none is under way.
    const std::lock_guard lock(state_->changing);
    state_->ending = true;
  }
  state_->keeper.reset();
  state_->api->begin_drain();
  state_->server->drain();
  state_->server->stop();
  state_->admin->stop();
  if (auto status = state_->installation->audit().record_checkpoints(); !status) return status;
  if (auto status = state_->record(crypto::audit::EventKind::stop); !status) return status;
  state_->record_desk.reset();  // which anchors the last checkpoints
  return {};
}

}  // namespace paravent::proxy::main
