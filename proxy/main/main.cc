// The command line of the one binary: reads the options, calls the command, answers its exit code.

#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/primitives/openssl_memory.h"
#include "crypto/primitives/self_test.h"
#include "proxy/main/commands/access_commands.h"
#include "proxy/main/commands/command_ask.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/record_cli.h"

namespace paravent::proxy::main {
namespace {

// Of the commands that are clients of the admin API.
template <typename ClientOptions>
void add_admin_address(CLI::App* command, ClientOptions& options) {
  command->add_option("--admin", options.admin, "Admin API (default http://127.0.0.1:8081)");
  command->add_option("--ca", options.ca,
                      "Authority of the admin API's certificate (default: the system's)");
}

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

template <typename Options>
void add_file(CLI::App* command, Options& options, CLI::Option* not_with) {
  CLI::Option* file =
      command->add_option("--file", options.file, "An encrypted file, instead of tokens");
  CLI::Option* out =
      command->add_option("--out", options.out, "With --file: the file to make")->needs(file);
  file->needs(out);
  if (not_with != nullptr) file->excludes(not_with);
}

void add_reidentify(CLI::App& app, ReidentifyOptions& options) {
  CLI::App* command =
      app.add_subcommand("reidentify", "Re-identify tokens, or the tokens in a text (-)");
  command->add_option("--purpose", options.purpose, "Legal purpose")->required();
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
  command->add_option("--grant", options.grant, "An approved grant, where the policy asks for one");
  add_admin_address(command, options);
  command->add_option("--credential-file", options.credential_file, "File with your credential");
  CLI::Option* field = command->add_option(
      "--field", options.field, "The TOKENs are values of this field, whose texts name no key");
  command->add_option("--route", options.route, "With --field: where several routes have it")
      ->needs(field);
  command->add_option("--as-of", options.as_of, "With --field: the day it was made, YYYY-MM-DD")
      ->needs(field);
  command->add_flag("--json", options.json, "Print the API's results as JSON");
  add_file(command, options, field);
  command->add_option("TOKEN", options.tokens, "Tokens; none or - filters standard input");
}

void add_subjects(CLI::App& app, SubjectsOptions& options) {
  CLI::App* subjects = app.add_subcommand("subjects", "Exercise people's rights for them");
  subjects->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = subjects->add_subcommand(name, what);
    command->callback([&options, name] { options.action = name; });
    command->add_option("--reason", options.reason, "Why; goes on the record")->required();
    command->add_option("--kind", options.kind,
                        "The value on standard input tells the person: email, phone, ...");
    add_admin_address(command, options);
    command->add_option("--credential-file", options.credential_file, "File with your credential");
    command->add_flag("--json", options.json, "Print the API's answer as JSON");
    command->add_option("TOKEN", options.tokens, "Tokens of the person, instead of --kind");
    return command;
  };
  add("locate", "What is kept of a person, without any value");
  add("export", "All values of one person that your role may see");
  add("restrict", "Keep everything, reveal nothing")
      ->add_flag("--lift", options.lift, "Take the restriction back");
  add("object", "Stop what rests on legitimate interest, and analytics")
      ->add_flag("--lift", options.lift, "Take the objection back");
  add("erase", "Destroy the person's keys and tokens, for good")
      ->add_option("--certificate", options.certificate,
                   "File for the signed certificate of destruction");
  CLI::App* events = add("events", "The end of a contract, a case closed, a contact elsewhere");
  events->add_option("--purpose", options.purpose, "Of which purpose")->required();
  events->add_option("--event", options.event, "last-contact, contract-end or case-closed")
      ->required();
  events->add_option("--day", options.day, "YYYY-MM-DD, UTC");
  events->add_flag("--lift", options.lift, "Take the event back");
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
  add_file(command, open, nullptr);
  command->add_option("TOKEN", open.tokens, "Tokens; none or - filters standard input");
}

void add_unsealing(CLI::App& app, UnsealOptions& unseal, SealOptions& seal) {
  CLI::App* command = app.add_subcommand(
      "unseal", "Give a sealed gateway its pass-phrase, PIN or shares, asked for at the terminal");
  add_admin_address(command, unseal);
  command->add_option("--credential-file", unseal.credential_file,
                      "File with an operator's credential, where the API is not on loopback");
  command->add_option("--secret-fd", unseal.secret_fd,
                      "Descriptor that gives the secrets, a line each, instead of the terminal");
  command->add_flag("--json", unseal.json, "Print as JSON");

  command = app.add_subcommand("seal", "Put the keys of a running gateway away");
  add_admin_address(command, seal);
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

void add_backups(CLI::App& app, BackupOptions& backup, RestoreOptions& restore) {
  CLI::App* command = app.add_subcommand("backup", "Back up a data directory, running or not");
  command->add_option("DIR", backup.data, "Data directory")->required();
  command->add_option("OUT", backup.out, "File to make")->required();
  command->add_flag("--keys", backup.keys, "Back up the keys, and nothing else");
  command->add_option("--days", backup.days, "With --keys: until it expires (default 30)");
  command->add_option("--config", backup.config, "Gateway file whose vault is meant");
  command->add_option("--root-key", backup.root_key, "Root key file");
  add_admin_address(command, backup);
  command->add_option("--credential-file", backup.credential_file,
                      "File with the credential of an admin, while a gateway runs");
  command->add_flag("--json", backup.json, "Print as JSON");

  command = app.add_subcommand("restore", "Restore a data directory on another machine");
  command->add_option("BACKUP", restore.backup, "Data backup")->required();
  command->add_option("--keys", restore.keys, "Key backup")->required();
  command->add_option("--data", restore.data, "Data directory to make")->required();
  command->add_option("--root-key", restore.root_key, "Root key file");
  command->add_option("--config", restore.config, "Gateway file that says how it is unsealed");
  command->add_option("--systemd-credential", restore.systemd_credential,
                      "The systemd credential that holds the root key");
  command->add_option("--pkcs11-module", restore.pkcs11_module, "Module of the token");
  command->add_option("--pkcs11-token", restore.pkcs11_token, "Label of the token");
  command->add_option("--pkcs11-key", restore.pkcs11_key, "Label of its key");
  command->add_option("--secret-fd", restore.secret_fd,
                      "Descriptor that gives the pass-phrase, the PIN or the shares, a line each, "
                      "instead of the terminal");
  command->add_flag("--undo-key-changes", restore.undo_key_changes,
                    "Also with keys from before a destruction, a hold or a restriction, which is "
                    "undone");
  command->add_flag("--accept-loss", restore.accept_loss,
                    "Also with keys that lack what values lie under, which never open again");
  command->add_flag("--json", restore.json, "Print as JSON");
}

CLI::App* add_key_client(CLI::App& under, const std::string& name, const std::string& help,
                         KeysOptions& options, const std::string& action) {
  CLI::App* command = under.add_subcommand(name, help);
  add_admin_address(command, options);
  command->add_option("--credential-file", options.credential_file,
                      "File with a credential of the role admin");
  command->add_flag("--json", options.json, "Print the API's answer as JSON");
  command->callback([&options, action] { options.action = action; });
  return command;
}

void add_rewrap(CLI::App& group, KeysRewrapOptions& rewrap) {
  CLI::App* command = group.add_subcommand(
      "rewrap", "Another root key, and where wanted another way to unseal; running or not");
  command->add_option("--data", rewrap.data, "Data directory");
  command->add_option("--config", rewrap.config, "Gateway file that says how it is unsealed now");
  command->add_option("--root-key", rewrap.root_key, "The present root key file");
  command->add_option("--new-root-key", rewrap.new_root_key,
                      "The next root key file; made when it does not exist");
  command->add_option("--new-systemd-credential", rewrap.new_systemd_credential,
                      "The systemd credential that holds the next root key");
  command->add_flag("--new-passphrase", rewrap.new_passphrase, "A pass-phrase, asked for");
  command->add_option("--new-shares", rewrap.new_shares, "K of N shares, such as 3/5, shown once");
  command->add_option("--new-pkcs11-module", rewrap.new_pkcs11_module, "A token: its module");
  command->add_option("--new-pkcs11-token", rewrap.new_pkcs11_token, "Label of the token");
  command->add_option("--new-pkcs11-key", rewrap.new_pkcs11_key,
                      "Label of the AES key, made when there is none");
  command->add_option("--secret-fd", rewrap.secret_fd,
                      "Descriptor that gives the present pass-phrase, PIN or shares and then the "
                      "new pass-phrase or PIN, a line each, instead of the terminal");
  command->add_option("--reason", rewrap.reason, "Why; goes on the record");
  add_admin_address(command, rewrap);
  command->add_option("--credential-file", rewrap.credential_file,
                      "File with the credential of an admin, while a gateway runs");
  command->add_flag("--json", rewrap.json, "Print as JSON");
}

void add_keys(CLI::App& app, KeysOptions& keys, KeysRewrapOptions& rewrap,
              VerifyCertificateOptions& verify, AcceptOlderOptions& accept) {
  CLI::App* group = app.add_subcommand("keys", "Keys: their life, their end, what holds it up");
  group->require_subcommand(1);
  add_key_client(*group, "list", "Every key, its state and when it ends", keys, "list");
  CLI::App* command =
      add_key_client(*group, "due", "What will be disabled and destroyed soon", keys, "due");
  command->add_option("--within", keys.within, "From now: P30D, P6M")->required();
  for (const auto& [name, help] : std::initializer_list<std::pair<const char*, const char*>>{
           {"rotate",
            "A new version of the key of a tenant, domain or epoch; the old one only opens"},
           {"disable", "Protect and open nothing with it, until it is enabled"},
           {"enable", "Use a disabled key again"},
           {"compromise", "Mark it as compromised: protects nothing, opens nothing"},
           {"override", "Let a compromised key open, until it is disabled"},
           {"destroy", "Destroy it and everything below it, for ever"}}) {
    command = add_key_client(*group, name, help, keys, name);
    command->add_option("ID", keys.id, "The key")->required();
    command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
    if (std::string_view(name) == "destroy") {
      command->add_option("--confirm", keys.confirm, "The word destroy")->required();
    }
  }
  command =
      add_key_client(*group, "hold", "Keep a purpose's keys from being destroyed", keys, "hold");
  command->add_option("--tenant", keys.tenant, "Tenant");
  command->add_option("--purpose", keys.purpose, "Purpose; all of the tenant's when left out");
  command->add_option("--subject", keys.subject, "Of one person, by reference");
  command->add_option("--until", keys.until, "The day on which it ends, YYYY-MM-DD");
  command->add_option("--release", keys.release, "End this hold instead");
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  add_key_client(*group, "holds", "Every hold", keys, "holds");
  add_key_client(*group, "freeze", "Whether destruction is frozen, and why", keys, "freeze");
  command = add_key_client(*group, "confirm", "Let shortened retentions hold and destruction go on",
                           keys, "confirm");
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  add_key_client(*group, "rows", "The work on token rows: what is wanted, and what was done", keys,
                 "rows");
  command = add_key_client(*group, "reseal", "Seal the rows of old keys under the current ones",
                           keys, "reseal");
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  command = add_key_client(*group, "reindex", "Move a domain's blind index to a new key", keys,
                           "reindex");
  command->add_option("--tenant", keys.tenant, "Tenant")->required();
  command->add_option("--domain", keys.domain, "Domain")->required();
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  command = add_key_client(*group, "when-sealed",
                           "What was sealed to another key while the vault was, to be converted",
                           keys, "when-sealed");
  command->add_option("--converted", keys.converted,
                      "Take the first N from the list: they are converted");
  command->add_option("--reason", keys.reason, "Why; goes on the record");
  command = add_key_client(*group, "certificate", "The signed certificate of a destroyed key", keys,
                           "certificate");
  command->add_option("ID", keys.id, "The key")->required();
  command->add_option("--out", keys.out, "File to write instead of standard output");

  command = group->add_subcommand("verify-certificate", "Verify such a certificate, offline");
  command->add_option("FILE", verify.file, "The certificate")->required();
  command
      ->add_option("--public-key", verify.public_key,
                   "The public key of the audit log that signed it")
      ->required();
  command->add_flag("--json", verify.json, "Print as JSON");
  add_rewrap(*group, rewrap);
  command =
      group->add_subcommand("accept-older", "Go on with keys that are older than the token store");
  command->add_option("--data", accept.data, "Data directory of a stopped gateway");
  command->add_option("--config", accept.config, "Gateway file that says how it is unsealed");
  command->add_option("--root-key", accept.root_key, "Root key file");
  command->add_option("--reason", accept.reason, "Why; goes on the record")->required();

  group = app.add_subcommand("tenants", "Tenants");
  group->require_subcommand(1);
  add_key_client(*group, "list", "Every tenant", keys, "tenants");
  command = add_key_client(*group, "create", "Make a tenant", keys, "create");
  command->add_option("NAME", keys.id, "Its name, as policies spell it")->required();
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  command =
      add_key_client(*group, "destroy", "Destroy everything of a tenant, for ever", keys, "end");
  command->add_option("NAME", keys.id, "Its name")->required();
  command->add_option("--confirm", keys.confirm, "Its name once more")->required();
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
}

struct Options {
  BackupOptions backup;
  RestoreOptions restore;
  KeysOptions keys;
  KeysRewrapOptions rewrap;
  VerifyCertificateOptions verify_certificate;
  AcceptOlderOptions accept_older;
  ServeOptions serve;
  InitOptions init;
  CheckOptions check;
  ExplainOptions explain;
  TestOptions test;
  PolicyApplyOptions apply;
  ReidentifyOptions reidentify;
  SubjectsOptions subjects;
  KeypairOptions keypair;
  ContextsOptions contexts;
  OpenOptions open;
  UnsealOptions unseal;
  SealOptions seal;
  VectorsOptions vectors;
  AccessOptions access;
  RecordOptions record;
  AskOptions ask;
};

int dispatch(const CLI::App& app, const Options& options) {
  if (!options.access.command.empty()) return run_access(options.access);
  if (!options.ask.what.empty()) return run_ask(options.ask);
  if (app.got_subcommand("backup")) return run_backup(options.backup);
  if (app.got_subcommand("restore")) return run_restore(options.restore);
  if (app.got_subcommand("serve")) return run_serve(options.serve);
  if (app.got_subcommand("init")) return run_init(options.init);
  if (app.got_subcommand("check")) return run_check(options.check);
  if (app.got_subcommand("explain")) return run_explain(options.explain);
  if (app.got_subcommand("test")) return run_test(options.test);
  if (app.got_subcommand("policy")) return run_policy_apply(options.apply);
  if (app.got_subcommand("reidentify")) return run_reidentify(options.reidentify);
  if (app.got_subcommand("subjects")) return run_subjects(options.subjects);
  if (app.got_subcommand("keypair")) return run_keypair(options.keypair);
  if (app.got_subcommand("contexts")) return run_contexts(options.contexts);
  if (app.got_subcommand("open")) return run_open(options.open);
  if (app.got_subcommand("unseal")) return run_unseal(options.unseal);
  if (app.got_subcommand("seal")) return run_seal(options.seal);
  if (app.got_subcommand("vectors")) return run_vectors(options.vectors);
  if (app.got_subcommand("keys")) {
    const CLI::App* keys = app.get_subcommand("keys");
    if (keys->got_subcommand("rewrap")) return run_keys_rewrap(options.rewrap);
    if (keys->got_subcommand("accept-older")) return run_keys_accept_older(options.accept_older);
    if (keys->got_subcommand("verify-certificate")) {
      return run_verify_certificate(options.verify_certificate);
    }
    return run_keys(options.keys);
  }
  if (app.got_subcommand("tenants")) return run_keys(options.keys);
  if (const auto code = dispatch_record(app, options.record)) return *code;
  return fail(ExitCode::usage, "No command given; paravent --help lists them.");
}

// `--data "$UNSET"` means some directory, and never the default one: an option that was given has a
// value. Of positional arguments the same. Empty: all is well.
std::string find_empty(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;
    for (const std::string& value : option->results()) {
      if (value.empty()) return option->get_name();
    }
  }
  for (const CLI::App* command : app.get_subcommands()) {
    if (std::string name = find_empty(*command); !name.empty()) return name;
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
  add_serve(app, options.serve);
  add_init(app, options.init);
  add_policy_commands(app, options.check, options.explain, options.test, options.apply);
  add_reidentify(app, options.reidentify);
  add_subjects(app, options.subjects);
  add_sealing(app, options.keypair, options.contexts, options.open);
  add_unsealing(app, options.unseal, options.seal);
  add_vectors(app, options.vectors);
  add_record_commands(app, options.record);
  add_ask_commands(app, options.ask);
  add_backups(app, options.backup, options.restore);
  add_keys(app, options.keys, options.rewrap, options.verify_certificate, options.accept_older);
  add_access_commands(app, options.access);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& wrong) {
    std::string what = wrong.what();
    if (!what.ends_with('.')) what += '.';
    return fail(ExitCode::usage, what + " Run the command with --help to see its options.");
  }
  if (const std::string name = find_empty(app); !name.empty()) {
    return fail(ExitCode::usage, name + " is empty; give it a value, or leave it out.");
  }
  // Nothing is protected or opened by primitives that do not give the known answers.
  if (auto status = crypto::run_self_tests(); !status) return fail(status.error());
  const int code = dispatch(app, options);
  // Every thread has ended, and whoever owned a secret is gone.
  crypto::finish_openssl();
  crypto::SecretArena::process().wipe_everything();
  return code;
}

}  // namespace
}  // namespace paravent::proxy::main

int main(int argc, char** argv) { return paravent::proxy::main::run(argc, argv); }
