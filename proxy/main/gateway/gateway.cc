#include "proxy/main/gateway/gateway.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>

#include "crypto/base/process_memory.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "proxy/admin/name_operator.h"
#include "proxy/main/gateway/gateway_state.h"
#include "proxy/main/gateway/keyless_routes.h"
#include "proxy/main/installation/issuer_binding.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "proxy/main/keepers/when_sealed.h"

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

// A port in use is something to change in the configuration, unlike a data directory in use.
Error listen_error(const Error& error) {
  if (error.kind() == ErrorKind::busy) return {ErrorKind::configuration, error.sentence()};
  return error;
}

}  // namespace

void block_signals() {
  const sigset_t set = awaited_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
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

// A policy that counts on an issuer nobody configured lets nobody in, and says so.
Status Gateway::State::start_oidc() {
  const auto& configs = config.operators.oidc;
  const auto told = installation->directory().operators() / "oidc-told";
  if (auto status = issuer_record.remember_in(told); !status) return status;
  warn_of_unknown_issuers(served, configs);
  warn_of_unknown_revocations(installation->operators().oidc_revocations().list(), configs);
  if (auto status = check_issuers(served, configs); !status) return status;
  if (configs.empty()) return {};
  oidc = std::make_unique<admin::OidcDesk>(issuers_of(configs), steady);
  auto keeper = OidcKeeper::make(
      configs, *oidc, OidcKeeper::kPause,
      [this](std::size_t issuer, const admin::KeyNames& keys) {
        const std::scoped_lock lock(changing);
        const std::string& name = config.operators.oidc[issuer].name;
        const admin::KeyNames before = issuer_record.keys(name);
        issuer_record.use(name, keys);
        // While the vault is sealed nobody comes in by an issuer; unsealing puts it on record.
        if (!open || record_issuer_keys(served)) return true;
        // New keys wait: they are not among those that later entries speak of.
        admin::KeyNames kept;
        std::set_intersection(before.begin(), before.end(), keys.begin(), keys.end(),
                              std::inserter(kept, kept.end()));
        issuer_record.use(name, std::move(kept));
        return false;
      },
      [this](std::size_t issuer) {
        const std::scoped_lock lock(changing);
        issuer_record.too_old(config.operators.oidc[issuer].name);
        return !open || record_issuer_keys(served).has_value();
      });
  if (!keeper) return keeper.error();
  oidc_keeper = std::move(*keeper);
  return {};
}

Status Gateway::State::record_issuer_keys(const PolicySet& set) {
  admin::AuditLogs& logs = installation->audit();
  std::set<std::string> configured;
  for (const auto& one : config.operators.oidc) configured.insert(one.name);
  std::vector<IssuerRecord::Place> places;
  places.push_back({&logs.installation(), configured});
  // Every tenant, since one that named an issuer may have no policy any more.
  for (const auto& [tenant, id] : installation->vault().tenants()) {
    std::set<std::string> named;
    for (const policies::Policy& policy : set.policies) {
      if (policy.tenant.value != tenant) continue;
      for (const policies::OidcEntry& entry : policy.oidc) {
        if (configured.contains(entry.issuer.value)) named.insert(entry.issuer.value);
      }
    }
    crypto::audit::AuditLog* const log = logs.tenant(id);
    if (log != nullptr) {
      places.push_back({log, std::move(named)});
    } else if (!named.empty()) {
      return Error(ErrorKind::internal);
    }
  }
  return issuer_record.write(places);
}

Status Gateway::State::unlock_alone() {
  auto root = installation->provider().open(installation->root_check());
  if (!root) return root.error();
  return *root ? unlock(std::move(**root)) : Status();
}

// What the file leaves to the machine.
Limits Gateway::State::limits_of(const config::GatewayConfig& of) {
  Limits limits = of.limits;
  if (limits.memory_bytes == 0) limits.memory_bytes = crypto::memory_of_process();
  return limits;
}

// It costs nobody a request when it fails: then the route is refused while the vault is sealed.
void Gateway::State::remember_for_sealed(const Snapshot& snapshot) {
  if (auto s = keep_sealed_contexts(installation->directory().path(), snapshot); !s) {
    std::fprintf(stderr, "paravent: warning: %s\n", s.error().sentence().c_str());
  }
}

Result<std::shared_ptr<const Snapshot>> Gateway::State::current_snapshot() {
  if (!installation->is_open()) return sealed_now();
  key_changes = crypto::vault::KeyAdmin(installation->vault()).changes();
  auto built = build_snapshot(served.plan, installation->vault(), limits_of(config));
  if (!built) return built.error();
  keys_valid_until = built->valid_until;
  remember_for_sealed(*built->snapshot);
  tell(warnings_of_keyless_routes(*built->snapshot));
  return built->snapshot;
}

Status Gateway::State::start_data_path() {
  if (!config.access_log.empty()) {
    auto log = telemetry::AccessLog::open(config.access_log);
    if (!log) return log.error();
    access_log = std::move(*log);
  }
  auto snapshot = current_snapshot();
  if (!snapshot) return snapshot.error();
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
  options.busy_poll = std::chrono::microseconds(config.busy_poll_us);
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
  options.vault = installation->is_open() ? &installation->vault() : nullptr;
  options.access_log = access_log.get();
  auto started = net::Server::start(options, *snapshot);
  if (!started) return listen_error(started.error());
  server = std::move(*started);
  return {};
}

Status Gateway::State::start_admin() {
  metrics = std::make_unique<GatewayMetrics>(*installation, *server, access_log.get(), reloads,
                                             [this]() -> const telemetry::SealedList* {
                                               const std::scoped_lock hold(list_mutex);
                                               return sealed_list.get();
                                             });
  gate = std::make_unique<admin::SealGate>(installation->operators(), first_credentials, *this,
                                           [this] { return metrics->text(nullptr); });
  if (auto status = open_gate(); !status) return status;
  admin::AdminServerOptions options;
  options.host = config.admin.host;
  options.port = config.admin.port;
  options.unix_path = config.admin.unix_path;
  options.tls = tls.admin;
  auto started = admin::AdminServer::start(options, *gate);
  if (!started) return listen_error(started.error());
  admin = std::move(*started);
  return {};
}

Status Gateway::State::record(crypto::audit::EventKind event, crypto::audit::AuditDetail detail) {
  crypto::audit::AuditEntry entry;
  entry.event = event;
  entry.detail = std::move(detail);
  auto receipt = installation->audit().installation().append(entry);
  if (!receipt) return receipt.error();
  return {};
}

// From the keeper's thread, which must not wait here: sealing ends the keeper while it holds
// `changing`. What is missed, the next tick does.
void Gateway::State::keeper_changed_keys() {
  const std::unique_lock lock(changing, std::try_to_lock);
  if (lock && token_present) publish_keys();
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
  if (!open || workers_end) return;
  const crypto::vault::KeyAdmin keys(installation->vault());
  const std::uint64_t changes = keys.changes();
  if (changes == key_changes) {
    if (clock.now() < keys_valid_until) return;
    // Until somebody has set it right, or confirmed that it is, the keys of before go on.
    if (keys.clock_is_behind()) {
      tell(
          "warning: no keys can be made for what begins now, since the clock is behind the newest "
          "key; see paravent keys freeze.\n");
      return;
    }
  }
  auto built = build_snapshot(served.plan, installation->vault(), limits_of(config));
  if (built) {
    if (!server->publish(built->snapshot)) {
      if (changes != key_changes) refuse_until_published();
      return;
    }
    remember_for_sealed(*built->snapshot);
    keys_valid_until = built->valid_until;
    key_changes = changes;
    tell(warnings_of_keyless_routes(*built->snapshot));
    return;
  }
  tell("warning: no keys can be made for what begins now: " + built.error().sentence() + "\n");
  if (changes != key_changes) refuse_until_published();
}

// The same is said once, and not every second.
void Gateway::State::tell(std::string warnings) {
  if (warnings == told_of_keys) return;
  told_of_keys = std::move(warnings);
  for (std::string_view rest = told_of_keys; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    std::fprintf(stderr, "paravent: %.*s\n", static_cast<int>(line.size()), line.data());
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

// Where not even that can be told to every worker, nobody goes on with the key.
void Gateway::State::refuse_until_published() {
  if (!server->publish(sealed_now()) && !server->publish(sealed_now())) std::abort();
}

void Gateway::State::tick() {
  bool without_token = false;
  {
    const std::unique_lock lock(changing, std::try_to_lock);
    if (!lock) return;
    root_offer.forget_late(std::chrono::steady_clock::now());
    without_token = look_for_token();
    if (token_present) publish_keys();
  }
  if (without_token) seal_without_token();
}

Result<std::unique_ptr<Gateway>> Gateway::start(GatewayFiles files, ReadFiles read,
                                                std::unique_ptr<Installation> installation,
                                                const crypto::Clock& clock) {
  auto state = std::make_unique<State>(std::move(installation), clock);
  state->read = std::move(read);
  state->config = std::move(files.config);
  state->served = std::move(files.policies);
  if (auto status = state->read_certificates(); !status) return status.error();
  // Values may wait from before, whatever the policy says today.
  if (has_when_sealed(*state->served.plan) || state->has_sealed_values()) {
    if (auto status = state->open_sealed_list(); !status) return status.error();
  }
  if (auto status = state->start_oidc(); !status) return status.error();
  if (auto status = state->unlock_alone(); !status) return status.error();
  if (auto status = state->start_data_path(); !status) return status.error();
  if (auto status = state->start_admin(); !status) return status.error();
  // Last: its thread asks what is open, and from here on only what holds `changing` changes that.
  if (state->oidc_keeper) state->oidc_keeper->begin();
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gateway::~Gateway() {
  state_->oidc_keeper.reset();                    // which asks what is open
  if (state_->open) state_->open->stop_keeper();  // it publishes through the server
  if (state_->admin) state_->admin->stop();
  if (state_->server) state_->server->stop();
}

// The admin API answers already, so a reload or an unsealing may be under way.
bool Gateway::is_sealed() const {
  const std::lock_guard lock(state_->changing);
  return state_->open == nullptr;
}

std::string Gateway::addresses() const {
  const std::lock_guard lock(state_->changing);
  std::string text = "listening on ";
  for (std::size_t i = 0; i < state_->config.listen.size(); ++i) {
    config::Address address = state_->config.listen[i].address;
    address.port = state_->server->ports()[i];
    if (i > 0) text += ", ";
    text += address.text();
  }
  config::Address admin = state_->config.admin;
  if (admin.unix_path.empty()) admin.port = state_->admin->port();
  return text + ", admin on " + admin.text();
}

Status Gateway::wait() {
  const sigset_t set = awaited_signals();
  for (int signal = -1; signal != SIGTERM && signal != SIGINT;) {
    signal = ::sigtimedwait(&set, nullptr, &kTick);
    if (signal == SIGHUP) state_->reload(admin::nobody("SIGHUP"));
    if (signal < 0) state_->tick();
  }
  state_->gate->begin_drain();
  {
    // No reload and no unsealing begins any more, and none is under way.
    const std::lock_guard lock(state_->changing);
    state_->ending = true;
    if (state_->open) {
      state_->open->api().begin_drain();
      state_->open->stop_keeper();  // it publishes through the server
    }
  }
  state_->server->drain();
  {
    // A key that is taken out of use during the drain still has to leave the workers; from here on
    // none of them protects anything.
    const std::lock_guard lock(state_->changing);
    state_->workers_end = true;
  }
  state_->server->stop();
  state_->admin->stop();
  state_->oidc_keeper.reset();  // what it puts on record comes before the last word
  if (!state_->open) return {};
  if (auto status = state_->installation->audit().record_checkpoints(); !status) return status;
  if (auto status = state_->record(crypto::audit::EventKind::stop); !status) return status;
  state_->open->end_record();  // which anchors the last checkpoints
  return {};
}

}  // namespace paravent::proxy::main
