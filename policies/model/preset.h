// Presets: policies that come with the binary, for `serve --preset NAME`. Their texts are the files
// of policies/presets, embedded at build time; they are read and checked like any other policy.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policies/model/load_policy.h"

namespace paravent::policies {

struct Preset {
  std::string_view name;  // "contact-form"
  std::string_view text;  // YAML
};

// Sorted by name.
std::span<const Preset> presets() noexcept;
// Empty when there is no such preset.
std::string_view preset_text(std::string_view name) noexcept;

struct PresetOptions {
  std::optional<std::string> path;      // --path: of the preset's form
  std::optional<std::string> upstream;  // --upstream: of every route and of elsewhere
};

// Replaces what the options name, in the model. ErrorKind::usage, with a sentence, for a path or an
// upstream that is none, and for a path where the preset has several routes.
crypto::Status apply_preset_options(Policy& policy, const PresetOptions& options);

// The preset, with its options applied and checked again. ErrorKind::usage for an unknown name or a
// bad option. The diagnostics' file is "preset NAME".
crypto::Result<LoadedPolicy> load_preset(std::string_view name, const PresetOptions& options);

}  // namespace paravent::policies
