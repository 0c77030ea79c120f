#include "proxy/main/commands/policy_cli.h"

namespace paravent::proxy::main {
namespace {

void add_policies(CLI::App& app, CheckOptions& check, ExplainOptions& explain, TestOptions& test,
                  PolicyApplyOptions& apply) {
  CLI::App* command = app.add_subcommand("check", "Check policies and gateway files");
  command->add_option("FILE", check.files, "Files to check")->required();
  command->add_flag("--json", check.json, "Print the diagnostics as JSON");

  command = app.add_subcommand("explain", "Show what a policy does to a recorded request");
  command->add_option("FILE", explain.file, "Policy")->required();
  command->add_option("--request", explain.request, "File: head, empty line, body")->required();
  command->add_flag("--json", explain.json, "Print as JSON");

  command = app.add_subcommand("test", "Run policy tests (NAME.test.yaml)");
  command->add_option("FILE", test.files, "Test files")->required();
  command->add_flag("--json", test.json, "Print as JSON");

  CLI::App* policy = app.add_subcommand("policy", "Policies and the store");
  policy->require_subcommand(1);
  command = policy->add_subcommand("apply", "Bring a policy's names into the store");
  command->add_option("FILE", apply.file, "Policy")->required();
  command->add_option("--config", apply.config, "Gateway file whose vault is meant");
  command->add_option("--data", apply.data, "Data directory");
  command->add_option("--root-key", apply.root_key, "Root key file");
  command->add_flag("--create", apply.create, "Make the names that the store does not know");
  command->add_option("--rename", apply.rename, "OLD=NEW, may be repeated");
}

void add_vectors(CLI::App& app, VectorsOptions& options) {
  CLI::App* command = app.add_subcommand("vectors", "Run published test vectors");
  command->add_option("FILE", options.files, "Vector files")->required();
  command->add_flag("--json", options.json, "Print as JSON");
}

}  // namespace

void add_policy_commands(CLI::App& app, PolicyCommandOptions& options) {
  add_policies(app, options.check, options.explain, options.test, options.apply);
  add_vectors(app, options.vectors);
}

std::optional<int> dispatch_policy(const CLI::App& app, const PolicyCommandOptions& options) {
  if (app.got_subcommand("check")) return run_check(options.check);
  if (app.got_subcommand("explain")) return run_explain(options.explain);
  if (app.got_subcommand("test")) return run_test(options.test);
  if (app.got_subcommand("policy")) return run_policy_apply(options.apply);
  if (app.got_subcommand("vectors")) return run_vectors(options.vectors);
  return std::nullopt;
}

}  // namespace paravent::proxy::main
