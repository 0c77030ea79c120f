// How a running gateway takes new files over.

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <tuple>
#include <utility>

#include "proxy/admin/name_operator.h"
#include "proxy/main/gateway/gateway_state.h"
#include "proxy/main/gateway/keyless_routes.h"
#include "proxy/main/installation/issuer_binding.h"
#include "proxy/main/installation/snapshot_builder.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;

namespace {

constexpr std::size_t kMostRemark = 1024;

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

// Everything that may be wrong is found before anything changes; the record, and whatever else has
// to be on the disk, is durable before the new snapshot is published, so that nothing behind that
// can fail; and every request sees either the old one or the new one.
Status Gateway::State::take_over(const admin::Operator& author, std::string& remarks,
                                 admin::ReloadOutcome& outcome) {
  if (ending) return Error(ErrorKind::busy, "The gateway is stopping; it takes over nothing more.");
  if (!open) {
    return Error(
        ErrorKind::sealed,
        "The vault is sealed, and only it can say whether the policies are good; unseal it "
        "first.");
  }
  auto files = read(remarks);
  if (!files) return files.error();
  if (auto status = check_reloadable(config, files->config); !status) return status;
  if (auto status = check_issuers(files->policies, files->config.operators.oidc); !status) {
    return status;
  }
  // The same texts are the same plan: counters and upstream connections stay.
  if (same_sources(served, files->policies)) files->policies.plan = served.plan;
  if (auto status = open->admit_names(files->policies); !status) return status;
  auto certificates = build_tls(files->config, *files->policies.plan, tickets);
  if (!certificates) return certificates.error();
  for (const std::string& warning : certificates->warnings) remarks += "warning: " + warning + "\n";
  auto built =
      build_snapshot(files->policies.plan, installation->vault(), limits_of(files->config));
  if (!built) return built.error();
  remarks += warnings_of_keyless_routes(*built->snapshot);
  auto publication =
      server->prepare(built->snapshot, certificates->listeners, certificates->upstreams);
  if (!publication) return publication.error();
  remarks +=
      warnings_of_unknown_people(files->policies, installation->operators(), installation->vault());
  if (auto status = open->check_consent(files->policies, author, &served); !status) {
    outcome.audit_failed = status.error().kind() == ErrorKind::disk_full;
    return status;
  }
  Status recorded = open->record_policy_loads(files->policies, author);
  if (recorded) recorded = record_issuer_keys(files->policies);
  if (!recorded) {
    outcome.audit_failed = true;
    return Error(ErrorKind::disk_full, "The reload cannot be put on record, so nothing changed.");
  }
  Status kept = open->set_retentions(files->policies, files->config.record);
  if (kept) kept = open->keep_consent(files->policies);
  outcome.store_failed = !kept;
  if (kept) {
    kept = server->publish(*publication);
    // Some workers may have taken it; the next tick gives all of them the old one again.
    if (!kept) {
      keys_valid_until = {};
      outcome.store_failed = true;
      kept = Error(ErrorKind::internal, "The workers could not take the new policies over.");
    }
  }
  if (!kept) {
    put_back();
    // The tenants' logs say that they were loaded.
    std::ignore =
        open->record_policy_loads(files->policies, author, crypto::audit::Outcome::failed);
    return kept;
  }
  remember_for_sealed(*built->snapshot);
  open->api().use_access(open->access_of(files->policies));
  if (certificates->admin) admin->use_certificates(certificates->admin);
  warn_of_unknown_issuers(files->policies, config.operators.oidc);
  if (oidc_keeper) oidc_keeper->read_again();
  config = std::move(files->config);
  served = std::move(files->policies);
  tls = std::move(*certificates);
  keys_valid_until = built->valid_until;
  return {};
}

// What a reload that is refused has written already. Of a retention only what it counts from: a
// longer one destroys later, a shorter one waits for an operator; putting it back would freeze
// destruction.
void Gateway::State::put_back() {
  std::ignore = open->count_from(served);
  std::ignore = open->keep_consent(served);
}

admin::ReloadOutcome Gateway::State::reload(const admin::Operator& author) {
  const std::lock_guard lock(changing);
  // Whatever becomes of the reload: after a log rotation the lines belong into the new file.
  if (access_log != nullptr) {
    if (const Status status = access_log->reopen(); !status) {
      std::fprintf(stderr, "paravent: %s\n", status.error().sentence().c_str());
    }
  }
  std::string remarks;
  admin::ReloadOutcome outcome;
  const Status status = take_over(author, remarks, outcome);
  outcome.done = static_cast<bool>(status);
  outcome.diagnostics = lines_of(remarks);
  std::fputs(remarks.c_str(), stderr);
  if (outcome.done) {
    ++reloads.done;
    std::fprintf(stderr, "paravent: reloaded for %s.\n", author.name.c_str());
    return outcome;
  }
  ++reloads.refused;
  // A full disk elsewhere is no want of a record.
  outcome.store_failed = outcome.store_failed ||
                         (!outcome.audit_failed && status.error().kind() == ErrorKind::disk_full);
  outcome.sentence = status.error().sentence();
  std::fprintf(stderr, "paravent: the reload is refused and everything stays as it was: %s\n",
               outcome.sentence.c_str());
  if (!open) return outcome;
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::policy_load;
  entry.outcome = crypto::audit::Outcome::refused;
  admin::name_operator(author, entry.detail);
  entry.detail.remark = outcome.sentence.substr(0, kMostRemark);
  // Nothing changed, so nothing hangs on this record.
  (void)installation->audit().installation().append(entry);
  return outcome;
}

}  // namespace paravent::proxy::main
