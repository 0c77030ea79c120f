#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "policies/model/equality_promise.h"
#include "policies/model/load_policy.h"
#include "policies/model/yaml_document.h"
#include "proxy/config/gateway_config.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/io/text_file.h"

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

struct Checked {
  policies::Diagnostics diagnostics;
  std::vector<policies::Promise> promises;  // of a policy without errors
};

Checked check_file(const std::string& path) {
  auto text = read_text_file(path, policies::kMaxPolicyBytes);
  if (text && is_gateway_file(*text)) return {config::load_gateway_file(path).diagnostics, {}};
  policies::LoadedPolicy loaded = policies::load_policy_file(path);
  std::vector<policies::Promise> promises;
  if (loaded.ok()) promises = policies::equality_promises(loaded.policy);
  return {std::move(loaded.diagnostics), std::move(promises)};
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

boost::json::object to_json(const std::string& file, const policies::Promise& one) {
  return {{"file", file}, {"route", one.route}, {"field", one.field}, {"promise", one.text}};
}

void print(const std::string& file, const Checked& checked) {
  for (const auto& one : checked.diagnostics.items()) {
    std::printf("%s\n", policies::diagnostic_text(one).c_str());
  }
  if (checked.promises.empty()) return;
  std::printf("\nWhat the recipients of %s can tell from equal values:\n", file.c_str());
  for (const auto& one : checked.promises) {
    std::printf("  %s\n", policies::promise_text(one).c_str());
  }
  std::printf("\n");
}

}  // namespace

int run_check(const CheckOptions& options) {
  std::size_t errors = 0;
  std::size_t others = 0;
  boost::json::array diagnostics;
  boost::json::array promises;
  for (const std::string& file : options.files) {
    const Checked checked = check_file(file);
    const std::size_t mine = checked.diagnostics.count(policies::Severity::error);
    errors += mine;
    others += checked.diagnostics.items().size() - mine;
    if (!options.json) {
      print(file, checked);
      continue;
    }
    for (const auto& one : checked.diagnostics.items()) diagnostics.push_back(to_json(one));
    for (const auto& one : checked.promises) promises.push_back(to_json(file, one));
  }
  if (options.json) {
    const boost::json::object all{{"diagnostics", diagnostics}, {"promises", promises}};
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
