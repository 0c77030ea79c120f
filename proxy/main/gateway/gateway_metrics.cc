#include "proxy/main/gateway/gateway_metrics.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/secret_arena.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/telemetry/exposition.h"

namespace paravent::proxy::main {
namespace {

using telemetry::Gauge;

Gauge gauge(std::string name, std::string help, double value) {
  return {std::move(name), std::move(help), {}, value, false};
}

Gauge counter(std::string name, std::string help, std::uint64_t value) {
  return {std::move(name), std::move(help), {}, static_cast<double>(value), true};
}

// Summed over workers, by target.
void append_upstreams(const net::Server& server, std::vector<Gauge>& out) {
  struct Column {
    const char* name;
    const char* help;
    telemetry::Cell net::UpstreamStatistics::*cell;
    bool counter;
  };
  constexpr Column kColumns[] = {
      {"paravent_upstream_requests_total", "Requests begun at an upstream, repetitions apart.",
       &net::UpstreamStatistics::requests, true},
      {"paravent_upstream_target_failures_total",
       "Failed connections and requests that got no whole answer.",
       &net::UpstreamStatistics::failures, true},
      {"paravent_upstream_target_connects_total", "Connections opened.",
       &net::UpstreamStatistics::connects, true},
      {"paravent_upstream_retries_total", "Requests repeated on a fresh connection.",
       &net::UpstreamStatistics::retries, true},
      {"paravent_upstream_trips_total", "How often a circuit was opened.",
       &net::UpstreamStatistics::trips, true},
      {"paravent_upstream_in_flight", "Requests under way.", &net::UpstreamStatistics::in_flight,
       false},
  };
  const auto all = server.upstream_statistics();
  for (const Column& column : kColumns) {
    std::map<std::string, std::uint64_t> sums;
    for (const auto& one : all) sums[one->target] += ((*one).*column.cell).read();
    for (const auto& [target, sum] : sums) {
      out.push_back({column.name,
                     column.help,
                     {{"upstream", target}},
                     static_cast<double>(sum),
                     column.counter});
    }
  }
  std::map<std::string, bool> up;
  std::map<std::string, bool> open;
  for (const auto& group : server.upstreams()) {
    for (const auto& one : group) {
      up[one->target.text] = one->health->up.load();
      open[one->target.text] = one->health->circuit.is_open();
    }
  }
  const auto append = [&out](const auto& targets, const char* name, const char* help) {
    for (const auto& [target, is_so] : targets) {
      out.push_back({name, help, {{"upstream", target}}, is_so ? 1.0 : 0.0, false});
    }
  };
  append(open, "paravent_upstream_open_circuits",
         "1 while nothing is sent there for the time being, after failures in a row.");
  append(up, "paravent_upstream_up", "0 while active checks have taken the upstream out.");
  out.push_back(counter("paravent_upstream_resolve_failures_total",
                        "Names that could not be looked up again, or that led back to us.",
                        server.resolve_failures()));
}

// Who asks for too much, and who does not get in.
void append_access(const admin::AdminApi& api, std::vector<Gauge>& out) {
  for (const auto& [key, count] : api.budgets().alarms()) {
    out.push_back({"paravent_budget_alarms_total",
                   "How often an operator went beyond a budget and has to cool off.",
                   {{"role", key.first}, {"limit", key.second}},
                   static_cast<double>(count),
                   true});
  }
  out.push_back(counter("paravent_failed_logins_total",
                        "Logins and invitations with something wrong in them.",
                        api.logins().failed_logins()));
}

void append_record(const admin::AdminApi& api, std::vector<Gauge>& out) {
  const admin::RecordApi* record = api.record();
  if (record == nullptr) return;
  if (record->honey() != nullptr) {
    out.push_back(counter("paravent_honey_alarms_total", "Honey tokens that were asked for.",
                          record->honey()->alarms()));
  }
  out.push_back(counter("paravent_anchor_failures_total",
                        "Turns in which checkpoints could not be written elsewhere.",
                        record->anchor_failures()));
}

void append_oidc(const admin::AdminApi& api, std::vector<Gauge>& out) {
  if (api.oidc() == nullptr) return;
  const auto states = api.oidc()->states();
  // One name after the other, as the text format wants them.
  for (const auto& state : states) {
    out.push_back({"paravent_oidc_keys",
                   "Keys of the issuer that may be used now.",
                   {{"issuer", state.name}},
                   state.stale ? 0.0 : static_cast<double>(state.keys),
                   false});
  }
  for (const auto& state : states) {
    if (!state.age) continue;
    out.push_back({"paravent_oidc_key_age_seconds",
                   "Since the issuer's keys were last read.",
                   {{"issuer", state.name}},
                   static_cast<double>(state.age->count()),
                   false});
  }
  for (const auto& state : states) {
    out.push_back({"paravent_oidc_refresh_failures_total",
                   "Times the issuer's keys could not be read.",
                   {{"issuer", state.name}},
                   static_cast<double>(state.failures),
                   true});
  }
}

}  // namespace

void GatewayMetrics::add_unsealed(const admin::AdminApi& api, std::vector<Gauge>& others) const {
  const auto vault = installation_.vault().counters();
  others.push_back(counter("paravent_vault_minted_total", "New vault tokens made.", vault.minted));
  others.push_back(counter("paravent_vault_found_total", "Values that had a token.", vault.found));
  others.push_back(
      counter("paravent_store_commits_total", "Durable writes of the store.", vault.commits));
  others.push_back(counter("paravent_store_failed_batches_total",
                           "Batches that the store could not answer.", vault.failed_batches));
  others.push_back(counter("paravent_vault_overloaded_batches_total",
                           "Batches turned away because the queue was full.",
                           vault.overloaded_batches));
  others.push_back(gauge("paravent_store_degraded",
                         "1 while new tokens cannot be written and are refused.",
                         vault.degraded ? 1 : 0));
  others.push_back(counter("paravent_store_known_hits_total",
                           "Values whose token was known in memory.", vault.known_hits));
  others.push_back(counter("paravent_store_known_misses_total",
                           "Batches that had to ask the store.", vault.known_misses));
  others.push_back(gauge("paravent_store_pending_batches", "Batches that wait for the store now.",
                         static_cast<double>(vault.pending)));
  const auto store = installation_.vault().store_statistics();
  others.push_back(gauge("paravent_store_rows", "Rows of the token store, estimated.",
                         static_cast<double>(store.rows)));
  others.push_back(gauge("paravent_store_bytes", "Bytes of the token store's tables.",
                         static_cast<double>(store.bytes)));
  others.push_back(counter("paravent_store_fsyncs_total",
                           "Times the token store waited for the disk.", store.fsyncs));
  const crypto::vault::KeyAdmin keys(installation_.vault());
  others.push_back(gauge("paravent_key_erasure_unfinished",
                         "1 while the old shred secret of a destruction or rotation is not erased; "
                         "the gateway tries again every minute.",
                         keys.erasure_is_due() ? 1 : 0));
  if (api.key_api() != nullptr) {
    others.push_back(gauge("paravent_key_retention_failed",
                           "1 while keys that had to end could not be ended; the gateway tries "
                           "again every minute.",
                           api.key_api()->retention_failed() ? 1 : 0));
  }
  const auto freeze = keys.freeze_info();
  for (const auto& [cause, name] : {std::pair(crypto::vault::Freeze::clock, "clock"),
                                    std::pair(crypto::vault::Freeze::retention, "retention")}) {
    others.push_back({"paravent_key_destruction_frozen",
                      "1 while no key is destroyed until an operator confirms.",
                      {{"cause", name}},
                      freeze.keeper.frozen_by(cause) ? 1.0 : 0.0,
                      false});
  }
  for (crypto::audit::AuditLog* log : installation_.audit().all()) {
    others.push_back({"paravent_audit_entries",
                      "Entries of the audit log.",
                      {{"log", log->log_id()}},
                      static_cast<double>(log->size()),
                      false});
  }
  append_record(api, others);
  append_oidc(api, others);
  for (const auto& [key, count] : api.counters().read()) {
    const auto& [role, purpose, outcome] = key;
    others.push_back({"paravent_reidentifications_total",
                      "Tokens asked for, by answer.",
                      {{"role", role}, {"purpose", purpose}, {"outcome", outcome}},
                      static_cast<double>(count),
                      true});
  }
  others.push_back(counter("paravent_refused_credentials_total",
                           "Admin requests without a valid credential.",
                           api.refused_credentials()));
  append_access(api, others);
}

std::string GatewayMetrics::text(const admin::AdminApi* api) const {
  telemetry::CounterView view;
  for (const auto& state : server_.states()) {
    view.plan = state->snapshot->plan;
    view.workers.push_back(state->counters);
  }
  std::vector<std::string_view> reasons;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    reasons.push_back(reason_label(static_cast<Reason>(i)));
  }

  std::vector<Gauge> others;
  others.push_back({"paravent_build_info",
                    "Version of this program.",
                    {{"version", PARAVENT_VERSION}},
                    1,
                    false});
  others.push_back(gauge("paravent_connections_open", "Client connections open now.",
                         static_cast<double>(server_.open_connections())));
  others.push_back(gauge("paravent_sealed", "1 while the keys are not there.", api == nullptr));
  const telemetry::SealedList* list = sealed_list_ ? sealed_list_() : nullptr;
  others.push_back(gauge("paravent_when_sealed_values",
                         "Values sealed to another key while the vault was, not yet converted.",
                         list == nullptr ? 0 : static_cast<double>(list->count())));
  const auto memory = crypto::SecretArena::process().statistics();
  others.push_back(gauge("paravent_secret_memory_locked_bytes", "Locked memory for keys.",
                         static_cast<double>(memory.locked)));
  others.push_back(gauge("paravent_secret_memory_unlocked_bytes",
                         "Memory for keys that the system refused to lock; should be 0.",
                         static_cast<double>(memory.unlocked)));
  // Routes that need no key go on while sealed, and so do their upstreams.
  append_upstreams(server_, others);
  for (const auto& [outcome, count] :
       {std::pair("done", reloads_.done.load()), std::pair("refused", reloads_.refused.load())}) {
    others.push_back({"paravent_reloads_total",
                      "Reloads of gateway file, policies and certificates, by outcome.",
                      {{"outcome", outcome}},
                      static_cast<double>(count),
                      true});
  }
  if (api != nullptr) add_unsealed(*api, others);
  if (access_log_ != nullptr) {
    others.push_back(counter("paravent_access_log_dropped_total",
                             "Access log lines dropped because the disk was slow.",
                             access_log_->dropped()));
  }
  return telemetry::exposition(view, reasons, others);
}

}  // namespace paravent::proxy::main
