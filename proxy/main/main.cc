// The command line of the one binary: reads the options, calls the command, answers its exit code.

#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <string>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/primitives/openssl_memory.h"
#include "crypto/primitives/self_test.h"
#include "proxy/main/commands/access_commands.h"
#include "proxy/main/commands/command_ask.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/gateway_cli.h"
#include "proxy/main/commands/key_cli.h"
#include "proxy/main/commands/policy_cli.h"
#include "proxy/main/commands/record_cli.h"
#include "proxy/main/commands/value_cli.h"

namespace paravent::proxy::main {
namespace {

struct Options {
  GatewayCommandOptions gateway;
  PolicyCommandOptions policy;
  ValueCommandOptions value;
  KeyCommandOptions key;
  RecordOptions record;
  AccessOptions access;
  AskOptions ask;
};

void add_commands(CLI::App& app, Options& options) {
  add_gateway_commands(app, options.gateway);
  add_policy_commands(app, options.policy);
  add_value_commands(app, options.value);
  add_record_commands(app, options.record);
  add_ask_commands(app, options.ask);
  add_key_commands(app, options.key);
  add_access_commands(app, options.access);
}

int dispatch(const CLI::App& app, const Options& options) {
  if (!options.access.command.empty()) return run_access(options.access);
  // Before policy and audit, whose commands some of them are.
  if (!options.ask.what.empty()) return run_ask(options.ask);
  if (const auto code = dispatch_gateway(app, options.gateway)) return *code;
  if (const auto code = dispatch_policy(app, options.policy)) return *code;
  if (const auto code = dispatch_value(app, options.value)) return *code;
  if (const auto code = dispatch_key(app, options.key)) return *code;
  if (const auto code = dispatch_record(app, options.record)) return *code;
  return fail(ExitCode::usage, "No command given; paravent --help lists them.");
}

// Commands answer errors as values. What a library throws all the same ends here: in one sentence
// that holds none of what was at hand, and after it the secrets are put away as ever.
int dispatch_or_fail(const CLI::App& app, const Options& options) {
  try {
    return dispatch(app, options);
  } catch (const std::exception&) {
    return fail(ExitCode::internal, "Something went wrong inside; please report it.");
  }
}

// `--data "$UNSET"` means some directory, and never the default one: an option that was given has a
// value. Of positional arguments the same. Empty: all is well.
const CLI::Option* find_empty(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;
    for (const std::string& value : option->results()) {
      if (value.empty()) return option;
    }
  }
  for (const CLI::App* command : app.get_subcommands()) {
    if (const CLI::Option* option = find_empty(*command)) return option;
  }
  return nullptr;
}

// The word where a command of `app` was expected: "A subcommand is required" would not name it.
std::string wrong_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  if (!commands.empty()) return wrong_command(*commands.front());
  for (const std::string& word : app.remaining()) {
    if (!word.starts_with('-')) return word + " is no command of " + app.get_name() + ".";
  }
  return {};
}

// Every command may hold keys, credentials or values.
void forbid_core_dumps() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

int run(int argc, char** argv) {
  forbid_core_dumps();
  // Too late would be a defect of this program: something used OpenSSL before main.
  if (auto status = crypto::install_openssl_memory(); !status) return fail(status.error());
  CLI::App app{"Paravent: a pseudonymisation and encryption gateway"};
  app.set_version_flag("--version", "paravent " PARAVENT_VERSION);
  Options options;
  add_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& wrong) {
    std::string what = wrong.what();
    if (wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
        what.starts_with("A subcommand")) {
      if (std::string named = wrong_command(app); !named.empty()) what = std::move(named);
    }
    if (!what.ends_with('.')) what += '.';
    return fail(ExitCode::usage, what + " Run the command with --help to see its options.");
  }
  if (const CLI::Option* option = find_empty(app)) {
    return fail(ExitCode::usage, option->get_name() + " is empty; give it a value" +
                                     (option->get_required() ? "." : ", or leave it out."));
  }
  // Nothing is protected or opened by primitives that do not give the known answers.
  if (auto status = crypto::run_self_tests(); !status) return fail(status.error());
  const int code = dispatch_or_fail(app, options);
  // Every thread has ended, and whoever owned a secret is gone.
  crypto::finish_openssl();
  crypto::SecretArena::process().wipe_everything();
  return code;
}

}  // namespace
}  // namespace paravent::proxy::main

int main(int argc, char** argv) { return paravent::proxy::main::run(argc, argv); }
