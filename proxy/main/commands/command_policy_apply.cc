#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

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

  // On record before it happens, and nothing happens that was not found to be right as a whole.
  const auto planned = vault.change_names(names, *renamings, options.create, NamesStep::plan);
  if (!planned) return fail(planned.error());
  auto& log = (*opened)->audit().installation();
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::names_change;
  entry.detail.object = "policy " + names.tenant;
  entry.detail.remark = planned->substr(0, 2048);
  if (auto receipt = log.append(entry); !receipt) return fail(receipt.error());
  const auto made = vault.change_names(names, *renamings, options.create, NamesStep::make);
  if (!made) {
    entry.outcome = crypto::audit::Outcome::failed;
    std::ignore = log.append(entry);
    return fail(made.error());
  }
  std::printf("%s\n", made->empty() ? "The store knows every name of this policy already."
                                    : made->substr(0, made->size() - 2).c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
