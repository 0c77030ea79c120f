#include "policies/model/preset.h"

#include <algorithm>
#include <utility>

namespace paravent::policies {
namespace {

crypto::Error usage(std::string sentence) {
  return crypto::Error(crypto::ErrorKind::usage, std::move(sentence));
}

std::string with_hint(const std::string& message, const std::string& hint) {
  return hint.empty() ? message + "." : message + ". " + hint + ".";
}

crypto::Status set_path(Policy& policy, const std::string& text) {
  if (policy.routes.size() != 1) {
    return usage(
        "--path does not go with this preset, which has several routes; copy it to a file.");
  }
  auto parsed = PathPattern::parse(text);
  if (const auto* fault = std::get_if<PathFault>(&parsed)) {
    return usage("--path: " + with_hint(fault->message, fault->hint));
  }
  policy.routes.front().match.paths = {std::move(*std::get_if<PathPattern>(&parsed))};
  return {};
}

crypto::Status set_upstream(Policy& policy, const std::string& text) {
  auto parsed = parse_upstream(text);
  if (const auto* fault = std::get_if<UpstreamFault>(&parsed)) {
    return usage("--upstream: " + with_hint(fault->message, fault->hint));
  }
  const UpstreamAddress& address = *std::get_if<UpstreamAddress>(&parsed);
  for (Route& route : policy.routes) {
    route.upstream.value = address;
    route.alternatives.clear();
  }
  if (policy.elsewhere) {
    policy.elsewhere->upstream.value = address;
    policy.elsewhere->alternatives.clear();
  }
  return {};
}

}  // namespace

std::string_view preset_text(std::string_view name) noexcept {
  for (const Preset& preset : presets()) {
    if (preset.name == name) return preset.text;
  }
  return {};
}

crypto::Status apply_preset_options(Policy& policy, const PresetOptions& options) {
  if (options.path) {
    if (auto status = set_path(policy, *options.path); !status) return status;
  }
  if (options.upstream) return set_upstream(policy, *options.upstream);
  return {};
}

crypto::Result<LoadedPolicy> load_preset(std::string_view name, const PresetOptions& options) {
  const std::string_view text = preset_text(name);
  if (text.empty()) {
    std::vector<std::string_view> names;
    for (const Preset& preset : presets()) names.push_back(preset.name);
    return usage("There is no preset " + in_quotes(name) + ". " +
                 suggestion(name, names, listed(names)) + ".");
  }
  LoadedPolicy loaded = load_policy_text("preset " + std::string(name), text);
  if (!loaded.ok()) return loaded;
  if (auto status = apply_preset_options(loaded.policy, options); !status) return status.error();
  // Every check looks at the model alone, so a second run says all there is about the changed
  // policy.
  Diagnostics diagnostics(loaded.diagnostics.file());
  check_policy(loaded.policy, diagnostics);
  diagnostics.sort();
  loaded.diagnostics = std::move(diagnostics);
  return loaded;
}

}  // namespace paravent::policies
