// The options of the commands that make a vault, run it, open and shut it, and back it up; and
// which of them was meant.

#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "proxy/main/commands/commands.h"

namespace paravent::proxy::main {

struct GatewayCommandOptions {
  ServeOptions serve;
  InitOptions init;
  UnsealOptions unseal;
  SealOptions seal;
  BackupOptions backup;
  RestoreOptions restore;
};

// `options` must outlive the parsing.
void add_gateway_commands(CLI::App& app, GatewayCommandOptions& options);

// The exit code; nullopt: another command was given.
std::optional<int> dispatch_gateway(const CLI::App& app, const GatewayCommandOptions& options);

}  // namespace paravent::proxy::main
