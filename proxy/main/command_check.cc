#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "policies/model/load_policy.h"
#include "policies/model/yaml_document.h"
#include "proxy/config/gateway_config.h"
#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/text_file.h"

namespace paravent::proxy::main {
namespace {

// A gateway file is told from a policy by its first words, so that one command checks both.
bool is_gateway_file(std::string_view text) {
  policies::Diagnostics ignored;
  const auto tree = policies::parse_yaml(text, {}, ignored);
  if (!tree || !tree->is_map()) return false;
  for (const auto& entry : tree->entries) {
    if (entry.key == "listen" || entry.key == "policies") return true;
  }
  return false;
}

policies::Diagnostics check_file(const std::string& path) {
  auto text = read_text_file(path, policies::kMaxPolicyBytes);
  if (text && is_gateway_file(*text)) return config::load_gateway_file(path).diagnostics;
  return policies::load_policy_file(path).diagnostics;
}

boost::json::object to_json(const policies::Diagnostic& one) {
  return {{"severity", policies::severity_name(one.severity)},
          {"file", one.file},
          {"line", one.at.line},
          {"column", one.at.column},
          {"key", one.key},
          {"message", one.message},
          {"hint", one.hint}};
}

}  // namespace

int run_check(const CheckOptions& options) {
  std::size_t errors = 0;
  std::size_t others = 0;
  boost::json::array all;
  for (const std::string& file : options.files) {
    const policies::Diagnostics diagnostics = check_file(file);
    errors += diagnostics.count(policies::Severity::error);
    others += diagnostics.items().size() - diagnostics.count(policies::Severity::error);
    for (const auto& one : diagnostics.items()) {
      if (options.json) {
        all.push_back(to_json(one));
      } else {
        std::printf("%s\n", policies::diagnostic_text(one).c_str());
      }
    }
  }
  if (options.json) {
    std::printf("%s\n", boost::json::serialize(all).c_str());
  } else if (errors == 0) {
    std::printf("%zu file%s checked: no error, %zu remark%s.\n", options.files.size(),
                options.files.size() == 1 ? "" : "s", others, others == 1 ? "" : "s");
  }
  if (errors == 0) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::configuration, std::to_string(errors) + " error" +
                                           (errors == 1 ? "" : "s") +
                                           " to mend before this can be loaded.");
}

}  // namespace paravent::proxy::main
