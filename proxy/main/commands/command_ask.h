// paravent policy show and reload, store, whoami, logout, audit checkpoint and audit proof: one
// question each to the admin API of a running gateway, whose answer is printed as it comes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/main/commands/record_commands.h"

namespace CLI {
class App;
}

namespace paravent::proxy::main {

struct AskOptions {
  std::string what;  // which of them; empty: another command
  ClientOptions client;
  bool installation = false;  // the installation's log instead of the tenant's
  std::optional<std::uint64_t> index;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> to;
};

// REQUIRES: `app` has the commands policy and audit. `options` must outlive the parsing.
void add_ask_commands(CLI::App& app, AskOptions& options);
// REQUIRES: options.what is not empty.
int run_ask(const AskOptions& options);

}  // namespace paravent::proxy::main
