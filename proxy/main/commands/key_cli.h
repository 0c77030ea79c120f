// The options of the commands about keys and tenants, and which of them was meant.

#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "proxy/main/commands/commands.h"

namespace paravent::proxy::main {

struct KeyCommandOptions {
  KeysOptions keys;
  KeysRewrapOptions rewrap;
  VerifyCertificateOptions verify;
  AcceptOlderOptions accept;
};

// `options` must outlive the parsing.
void add_key_commands(CLI::App& app, KeyCommandOptions& options);

// The exit code; nullopt: another command was given.
std::optional<int> dispatch_key(const CLI::App& app, const KeyCommandOptions& options);

}  // namespace paravent::proxy::main
