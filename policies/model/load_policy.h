// Loads a policy: reads the YAML strictly, then checks everything that can be checked without a
// store. `check`, `serve` and `reload` all stand on these functions.
//
// Pure but for reading the file. All problems are reported at once, sorted by place. A policy with
// an error must not be compiled.

#pragma once

#include <string>
#include <string_view>

#include "policies/model/diagnostics.h"
#include "policies/model/policy.h"

namespace paravent::policies {

struct LoadedPolicy {
  Policy policy;
  Diagnostics diagnostics;

  bool ok() const noexcept { return !diagnostics.has_errors(); }
};

inline constexpr std::size_t kMaxPolicyBytes = 1024 * 1024;

// A file that cannot be read is one diagnostic of the file as a whole.
LoadedPolicy load_policy_file(const std::string& path);
// `name` stands for the file in diagnostics.
LoadedPolicy load_policy_text(std::string name, std::string_view text);

// The checks alone, for a policy that was changed after reading (presets): adds to `out`, unsorted.
void check_policy(const Policy& policy, Diagnostics& out);

}  // namespace paravent::policies
