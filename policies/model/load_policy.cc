#include "policies/model/load_policy.h"

#include <utility>

#include "policies/model/access_reader.h"
#include "policies/model/checks.h"
#include "policies/model/file_text.h"
#include "policies/model/policy_reader.h"
#include "policies/model/yaml_document.h"

namespace paravent::policies {

LoadedPolicy load_policy_text(std::string name, std::string_view text) {
  LoadedPolicy loaded;
  loaded.diagnostics = Diagnostics(std::move(name));
  YamlLimits limits;
  limits.bytes = kMaxPolicyBytes;
  if (const auto root = parse_yaml(text, limits, loaded.diagnostics)) {
    loaded.policy = read_policy(*root, loaded.diagnostics);
    if (root->is_map()) check_policy(loaded.policy, loaded.diagnostics);
  }
  loaded.diagnostics.sort();
  return loaded;
}

LoadedPolicy load_policy_file(const std::string& path) {
  const auto text = read_file_text(path, kMaxPolicyBytes);
  if (!text) {
    LoadedPolicy loaded;
    loaded.diagnostics = Diagnostics(path);
    loaded.diagnostics.error({}, {}, "the file cannot be read", "Check its name and its rights");
    return loaded;
  }
  return load_policy_text(path, *text);
}

void check_policy(const Policy& policy, Diagnostics& out) {
  check_settings(policy, out);
  check_recipients(policy, out);
  check_purposes(policy, out);
  check_four_eyes(policy, out);
  check_oidc(policy, out);
  check_routes(policy, out);
  check_rules(policy, out);
  check_when(policy, out);
  check_inside(policy, out);
  check_files(policy, out);
  check_spaces(policy, out);
  lint_domains(policy, out);
}

}  // namespace paravent::policies
