#include "proxy/main/installation/policy_set.h"

#include <utility>

#include "policies/model/load_policy.h"
#include "policies/model/preset.h"
#include "policies/plan/compiler.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

namespace {

// Notes are for `check`; at a start only what may be wrong is worth a line.
std::string remarks_of(const policies::Diagnostics& diagnostics) {
  std::string text;
  for (const policies::Diagnostic& one : diagnostics.items()) {
    if (one.severity == policies::Severity::note) continue;
    text += policies::diagnostic_text(one) + "\n";
  }
  return text;
}

Result<PolicySet> compile_set(PolicySet set) {
  auto plan = policies::compile(set.policies);
  if (!plan) return plan.error();
  set.plan = std::move(*plan);
  return set;
}

}  // namespace

Result<PolicySet> load_policies(const std::vector<std::string>& files, std::string& remarks) {
  PolicySet set;
  bool errors = false;
  for (const std::string& file : files) {
    auto text = read_text_file(file, policies::kMaxPolicyBytes);
    if (!text) return Error(ErrorKind::configuration, text.error().sentence());
    auto loaded = policies::load_policy_text(file, *text);
    remarks += remarks_of(loaded.diagnostics);
    errors = errors || !loaded.ok();
    set.policies.push_back(std::move(loaded.policy));
    set.sources.push_back({file, std::move(*text)});
  }
  if (errors) {
    return Error(ErrorKind::configuration, "The policy has errors; nothing was changed.");
  }
  return compile_set(std::move(set));
}

Result<PolicySet> load_preset(const std::string& preset, const std::string& path,
                              const std::string& upstream, std::string& remarks) {
  if (upstream.empty()) {
    return Error(ErrorKind::usage, "--preset needs --upstream, the address of your site.");
  }
  policies::PresetOptions options;
  options.upstream = upstream;
  if (!path.empty()) options.path = path;
  auto loaded = policies::load_preset(preset, options);
  if (!loaded) return loaded.error();
  remarks += remarks_of(loaded->diagnostics);
  if (!loaded->ok()) {
    return Error(ErrorKind::usage, "The preset cannot be used with these options.");
  }
  PolicySet set;
  set.sources.push_back({"preset " + preset, std::string(policies::preset_text(preset)) +
                                                 "\n# --path " + path + " --upstream " + upstream});
  set.policies.push_back(std::move(loaded->policy));
  return compile_set(std::move(set));
}

}  // namespace paravent::proxy::main
