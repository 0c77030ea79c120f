#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "policies/model/load_policy.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/snapshot_builder.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::vault::KeyAdmin;
using crypto::vault::KeyClass;
using crypto::vault::KeyInfo;
using crypto::vault::PolicyNames;
using crypto::vault::Renaming;
using crypto::vault::Vault;
using NamesStep = Vault::NamesStep;

Result<std::vector<Renaming>> read_renamings(const std::vector<std::string>& changes) {
  std::vector<Renaming> renamings;
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == change.size()) {
      return Error(ErrorKind::usage, "--rename takes OLD=NEW.");
    }
    renamings.push_back({change.substr(0, equals), change.substr(equals + 1)});
  }
  return renamings;
}

// What of the policy's tenant has no key any more: "tenant", and its domains by name. Their keys
// are destroyed, and a name that the store knows says nothing of that.
std::set<std::string> ended_in(Vault& vault, const PolicyNames& names) {
  std::set<std::string> ended;
  std::set<std::string> alive;
  for (const KeyInfo& key : KeyAdmin(vault).list()) {
    const KeyClass of = key.record.key_class;
    if (key.tenant != names.tenant || (of != KeyClass::tenant && of != KeyClass::domain)) continue;
    if (of == KeyClass::domain &&
        std::find(names.domains.begin(), names.domains.end(), key.domain) == names.domains.end()) {
      continue;
    }
    const std::string name = of == KeyClass::tenant ? "the tenant" : "domain " + key.domain;
    (is_destroyed(key.record.condition.state) ? ended : alive).insert(name);
  }
  for (const std::string& name : alive) ended.erase(name);
  return ended;
}

}  // namespace

int run_policy_apply(const PolicyApplyOptions& options) {
  const policies::LoadedPolicy loaded = policies::load_policy_file(options.file);
  if (!loaded.ok()) {
    std::fputs(policies::diagnostics_text(loaded.diagnostics).c_str(), stderr);
    return fail(ExitCode::configuration, "The policy has errors; the store was not touched.");
  }
  const auto renamings = read_renamings(options.rename);
  if (!renamings) return fail(renamings.error());
  const crypto::SystemClock clock;
  const auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  auto opened = Installation::open(*paths, clock);
  if (!opened) return fail(opened.error());
  Vault& vault = (*opened)->vault();
  const PolicyNames names = policy_names(loaded.policy);

  const auto ended = ended_in(vault, names);
  // On record before it happens, and nothing happens that was not found to be right as a whole.
  const auto planned = vault.change_names(names, *renamings, options.create, NamesStep::plan);
  if (!planned) return fail(planned.error());
  auto& log = (*opened)->audit().installation();
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::names_change;
  entry.detail.object = "policy " + names.tenant;
  std::string remark = *planned;
  for (const std::string& name : ended) {
    if (options.create) remark += "made anew the key of " + name + ", whose old one is destroyed; ";
  }
  entry.detail.remark = remark.substr(0, 2048);
  if (auto receipt = log.append(entry); !receipt) return fail(receipt.error());
  const auto made = vault.change_names(names, *renamings, options.create, NamesStep::make);
  if (!made) {
    entry.outcome = crypto::audit::Outcome::failed;
    std::ignore = log.append(entry);
    return fail(made.error());
  }
  auto anew = ended;
  for (const std::string& name : ended_in(vault, names)) anew.erase(name);
  std::string said = *made;
  for (const std::string& name : anew) {
    said += "made anew the key of " + name + ", whose old one is destroyed; ";
  }
  std::printf("%s\n", said.empty() ? "The store knows every name of this policy already."
                                   : said.substr(0, said.size() - 2).c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
