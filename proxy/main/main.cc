// The command line of the one binary: reads the options, calls the command, answers its exit code.

#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "crypto/base/secret_arena.h"
#include "crypto/primitives/openssl_memory.h"
#include "crypto/primitives/self_test.h"
#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"

namespace paravent::proxy::main {
namespace {

// The commands of CONTRACTS that a later issue brings: named, so that using one gives a sentence.
constexpr std::string_view kReserved[] = {"backup",   "restore",   "keys",
                                          "subjects", "operators", "grants"};

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* command = app.add_subcommand("serve", "Run the gateway");
  command->add_option("--config", options.config, "Gateway file (YAML)");
  command->add_option("--preset", options.preset,
                      "A built-in policy instead of a gateway file, for example contact-form");
  command->add_option("--upstream", options.upstream, "With --preset: the site, http://HOST:PORT");
  command->add_option("--path", options.path, "With --preset: the form's path (default /contact)");
  command->add_option("--listen", options.listen, "Address to listen on (default 127.0.0.1:8080)");
  command->add_option("--admin", options.admin,
                      "Address of the admin API (default 127.0.0.1:8081)");
  command->add_option("--data", options.data, "Data directory");
  command->add_option("--root-key", options.root_key, "Root key file");
  command->add_option("--secret-fd", options.secret_fd,
                      "Descriptor that gives the pass-phrase or the PIN of the token");
}

void add_init(CLI::App& app, InitOptions& options) {
  CLI::App* command =
      app.add_subcommand("init", "Make a vault: root key, first keys, two operators");
  command->add_option("--data", options.data, "Data directory");
  command->add_option("--config", options.config,
                      "Gateway file whose data directory and vault.unseal are meant");
  command->add_option("--root-key", options.root_key, "Root key file to make");
  command->add_flag("--passphrase", options.passphrase,
                    "Keep the root key under a pass-phrase, asked for at the terminal");
  command->add_option("--shares", options.shares,
                      "Keep the root key in N shares of which K open it: K/N, such as 3/5");
  command->add_option("--pkcs11-module", options.pkcs11_module,
                      "Keep the root key under a key in a token: the module's library");
  command->add_option("--pkcs11-token", options.pkcs11_token, "Label of the token");
  command->add_option("--pkcs11-key", options.pkcs11_key,
                      "Label of the AES key, made when there is none");
  command->add_option("--secret-fd", options.secret_fd,
                      "Descriptor that gives the pass-phrase or the PIN, instead of the terminal");
  command->add_flag("--json", options.json, "Print the credentials as JSON and nothing else");
}

void add_policy_commands(CLI::App& app, CheckOptions& check, ExplainOptions& explain,
                         TestOptions& test, PolicyApplyOptions& apply) {
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

void add_reidentify(CLI::App& app, ReidentifyOptions& options) {
  CLI::App* command =
      app.add_subcommand("reidentify", "Re-identify tokens, or the tokens in a text (-)");
  command->add_option("--purpose", options.purpose, "Legal purpose")->required();
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
  command->add_option("--admin", options.admin, "Admin API (default http://127.0.0.1:8081)");
  command->add_option("--credential-file", options.credential_file, "File with your credential");
  CLI::Option* field = command->add_option(
      "--field", options.field, "The TOKENs are values of this field, whose texts name no key");
  command->add_option("--route", options.route, "With --field: where several routes have it")
      ->needs(field);
  command->add_option("--as-of", options.as_of, "With --field: the day it was made, YYYY-MM-DD")
      ->needs(field);
  command->add_flag("--json", options.json, "Print the API's results as JSON");
  command->add_option("TOKEN", options.tokens, "Tokens; none or - filters standard input");
}

void add_sealing(CLI::App& app, KeypairOptions& keypair, ContextsOptions& contexts,
                 OpenOptions& open) {
  CLI::App* command = app.add_subcommand("keypair", "Make a key pair that values can be sealed to");
  command->add_option("--out", keypair.out, "Private key file to make")->required();
  command->add_flag("--json", keypair.json, "Print the public key as JSON");

  command = app.add_subcommand("contexts", "Export the context table, for paravent open");
  command->add_option("--config", contexts.config, "Gateway file whose vault is meant");
  command->add_option("--data", contexts.data, "Data directory");
  command->add_option("--root-key", contexts.root_key, "Root key file");
  command->add_option("OUT", contexts.out, "File to write, or - for standard output")->required();

  command = app.add_subcommand("open", "Open sealed values, or those in a text (-), offline");
  command->add_option("--key", open.key, "Private key file")->required();
  command->add_option("--contexts", open.contexts, "Exported context table")->required();
  command->add_flag("--json", open.json, "Print as JSON");
  command->add_option("TOKEN", open.tokens, "Tokens; none or - filters standard input");
}

void add_unsealing(CLI::App& app, UnsealOptions& unseal, SealOptions& seal) {
  CLI::App* command = app.add_subcommand(
      "unseal", "Give a sealed gateway its pass-phrase, PIN or shares, asked for at the terminal");
  command->add_option("--admin", unseal.admin, "Admin API (default http://127.0.0.1:8081)");
  command->add_option("--credential-file", unseal.credential_file,
                      "File with an operator's credential, where the API is not on loopback");
  command->add_option("--secret-fd", unseal.secret_fd,
                      "Descriptor that gives the secrets, a line each, instead of the terminal");
  command->add_flag("--json", unseal.json, "Print as JSON");

  command = app.add_subcommand("seal", "Put the keys of a running gateway away");
  command->add_option("--admin", seal.admin, "Admin API (default http://127.0.0.1:8081)");
  command
      ->add_option("--credential-file", seal.credential_file,
                   "File with a credential of the role admin")
      ->required();
  command->add_flag("--json", seal.json, "Print as JSON");
}

void add_vectors(CLI::App& app, VectorsOptions& options) {
  CLI::App* command = app.add_subcommand("vectors", "Run published test vectors");
  command->add_option("FILE", options.files, "Vector files")->required();
  command->add_flag("--json", options.json, "Print as JSON");
}

void add_audit(CLI::App& app, AuditVerifyOptions& options) {
  CLI::App* audit = app.add_subcommand("audit", "The audit log");
  audit->require_subcommand(1);
  CLI::App* command = audit->add_subcommand("verify", "Verify it offline");
  command->add_option("DIR", options.folder, "Data directory, its audit folder, or one log")
      ->required();
  command->add_option("--checkpoint", options.checkpoint, "A checkpoint saved earlier");
  command->add_option("--public-key", options.public_key, "A public key kept elsewhere");
  command->add_flag("--json", options.json, "Print as JSON");
}

struct Options {
  ServeOptions serve;
  InitOptions init;
  CheckOptions check;
  ExplainOptions explain;
  TestOptions test;
  PolicyApplyOptions apply;
  ReidentifyOptions reidentify;
  KeypairOptions keypair;
  ContextsOptions contexts;
  OpenOptions open;
  UnsealOptions unseal;
  SealOptions seal;
  VectorsOptions vectors;
  AuditVerifyOptions audit;
};

int dispatch(const CLI::App& app, const Options& options) {
  if (app.got_subcommand("serve")) return run_serve(options.serve);
  if (app.got_subcommand("init")) return run_init(options.init);
  if (app.got_subcommand("check")) return run_check(options.check);
  if (app.got_subcommand("explain")) return run_explain(options.explain);
  if (app.got_subcommand("test")) return run_test(options.test);
  if (app.got_subcommand("policy")) return run_policy_apply(options.apply);
  if (app.got_subcommand("reidentify")) return run_reidentify(options.reidentify);
  if (app.got_subcommand("keypair")) return run_keypair(options.keypair);
  if (app.got_subcommand("contexts")) return run_contexts(options.contexts);
  if (app.got_subcommand("open")) return run_open(options.open);
  if (app.got_subcommand("unseal")) return run_unseal(options.unseal);
  if (app.got_subcommand("seal")) return run_seal(options.seal);
  if (app.got_subcommand("vectors")) return run_vectors(options.vectors);
  if (app.got_subcommand("audit")) return run_audit_verify(options.audit);
  return fail(ExitCode::usage, "No command given; paravent --help lists them.");
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
  add_serve(app, options.serve);
  add_init(app, options.init);
  add_policy_commands(app, options.check, options.explain, options.test, options.apply);
  add_reidentify(app, options.reidentify);
  add_sealing(app, options.keypair, options.contexts, options.open);
  add_unsealing(app, options.unseal, options.seal);
  add_vectors(app, options.vectors);
  add_audit(app, options.audit);
  if (argc > 1) {
    for (const std::string_view reserved : kReserved) {
      if (reserved == argv[1]) {
        return fail(ExitCode::usage, "The command " + std::string(reserved) +
                                         " is not yet available in this version.");
      }
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& wrong) {
    return fail(ExitCode::usage,
                std::string(wrong.what()) + " Run the command with --help to see its options.");
  }
  // Nothing is protected or opened by primitives that do not give the known answers.
  if (auto status = crypto::run_self_tests(); !status) return fail(status.error());
  const int code = dispatch(app, options);
  // Every thread has ended, and whoever owned a secret is gone.
  crypto::SecretArena::process().wipe_everything();
  return code;
}

}  // namespace
}  // namespace paravent::proxy::main

int main(int argc, char** argv) { return paravent::proxy::main::run(argc, argv); }
