#include <array>
#include <cstdio>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "policies/model/load_policy.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/snapshot_builder.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using crypto::vault::NameKind;
using crypto::vault::PolicyNames;
using crypto::vault::UnknownName;
using crypto::vault::Vault;

// A rename gives its kind by what it mends: NEW is a name of the policy that the store does not
// know yet.
Status rename_one(Vault& vault, const PolicyNames& names, const std::string& change,
                  std::string& described) {
  const std::size_t equals = change.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == change.size()) {
    return Error(ErrorKind::usage, "--rename takes OLD=NEW.");
  }
  const std::string old_name = change.substr(0, equals);
  const std::string new_name = change.substr(equals + 1);
  const std::array policies{names};
  const auto unknown = vault.unknown_names(policies);
  for (const UnknownName& one : unknown) {
    if (one.name != new_name) continue;
    // While the tenant itself is being renamed, the store knows it by its old name.
    const std::string tenant = one.kind == NameKind::tenant ? old_name : names.tenant;
    auto status = vault.rename(one.kind, tenant, old_name, new_name);
    if (status) {
      described += std::string(crypto::vault::name_kind_text(one.kind)) + " " + old_name +
                   " is now " + new_name + "; ";
    }
    return status;
  }
  return Error(ErrorKind::configuration,
               "The policy has no name " + new_name + " that the store does not know already.");
}

std::string unknown_text(const std::vector<UnknownName>& unknown) {
  std::string text;
  for (const UnknownName& one : unknown) {
    text += std::string(crypto::vault::name_kind_text(one.kind)) + " " + one.name + "; ";
  }
  return text;
}

}  // namespace

int run_policy_apply(const PolicyApplyOptions& options) {
  const policies::LoadedPolicy loaded = policies::load_policy_file(options.file);
  if (!loaded.ok()) {
    std::fputs(policies::diagnostics_text(loaded.diagnostics).c_str(), stderr);
    return fail(ExitCode::configuration, "The policy has errors; the store was not touched.");
  }
  const crypto::SystemClock clock;
  const auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  auto opened = Installation::open(*paths, clock);
  if (!opened) return fail(opened.error());
  Vault& vault = (*opened)->vault();
  const PolicyNames names = policy_names(loaded.policy);
  const std::array policies{names};

  std::string described;
  for (const std::string& change : options.rename) {
    if (auto status = rename_one(vault, names, change, described); !status) {
      return fail(status.error());
    }
  }
  if (options.create) {
    const std::string created = unknown_text(vault.unknown_names(policies));
    if (auto status = vault.register_names(policies); !status) return fail(status.error());
    if (!created.empty()) described += "created " + created;
  } else if (auto status = vault.admit_names(policies); !status) {
    return fail(ExitCode::configuration, status.error().sentence());
  }
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::names_change;
  entry.detail.object = "policy " + names.tenant;
  entry.detail.remark = described.substr(0, 2048);
  if (auto receipt = (*opened)->audit().installation().append(entry); !receipt) {
    return fail(receipt.error());
  }
  std::printf("%s\n", described.empty() ? "The store knows every name of this policy already."
                                        : described.substr(0, described.size() - 2).c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
