// The options of the commands about policies, and of the runner of published vectors; and which of
// them was meant.

#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "proxy/main/commands/commands.h"

namespace paravent::proxy::main {

struct PolicyCommandOptions {
  CheckOptions check;
  ExplainOptions explain;
  TestOptions test;
  PolicyApplyOptions apply;
  VectorsOptions vectors;
};

// `options` must outlive the parsing.
void add_policy_commands(CLI::App& app, PolicyCommandOptions& options);

// The exit code; nullopt: another command was given.
std::optional<int> dispatch_policy(const CLI::App& app, const PolicyCommandOptions& options);

}  // namespace paravent::proxy::main
