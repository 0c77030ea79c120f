// The options of the commands that give values back, of one person or of tokens, through a gateway
// or offline; and which of them was meant.

#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "proxy/main/commands/commands.h"

namespace paravent::proxy::main {

struct ValueCommandOptions {
  ReidentifyOptions reidentify;
  SubjectsOptions subjects;
  KeypairOptions keypair;
  ContextsOptions contexts;
  OpenOptions open;
};

// `options` must outlive the parsing.
void add_value_commands(CLI::App& app, ValueCommandOptions& options);

// The exit code; nullopt: another command was given.
std::optional<int> dispatch_value(const CLI::App& app, const ValueCommandOptions& options);

}  // namespace paravent::proxy::main
