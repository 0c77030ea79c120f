#include "proxy/main/commands/gateway_cli.h"

#include "proxy/main/commands/admin_address.h"

namespace paravent::proxy::main {
namespace {

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

void add_backups(CLI::App& app, BackupOptions& backup, RestoreOptions& restore) {
  CLI::App* command = app.add_subcommand("backup", "Back up a data directory, running or not");
  command->add_option("DIR", backup.data, "Data directory")->required();
  command->add_option("OUT", backup.out, "File to make")->required();
  CLI::Option* keys =
      command->add_flag("--keys", backup.keys, "Back up the keys, and nothing else");
  command->add_option("--days", backup.days, "With --keys: until it expires (default 30)")
      ->needs(keys);
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

}  // namespace

void add_gateway_commands(CLI::App& app, GatewayCommandOptions& options) {
  add_serve(app, options.serve);
  add_init(app, options.init);
  add_unsealing(app, options.unseal, options.seal);
  add_backups(app, options.backup, options.restore);
}

std::optional<int> dispatch_gateway(const CLI::App& app, const GatewayCommandOptions& options) {
  if (app.got_subcommand("serve")) return run_serve(options.serve);
  if (app.got_subcommand("init")) return run_init(options.init);
  if (app.got_subcommand("unseal")) return run_unseal(options.unseal);
  if (app.got_subcommand("seal")) return run_seal(options.seal);
  if (app.got_subcommand("backup")) return run_backup(options.backup);
  if (app.got_subcommand("restore")) return run_restore(options.restore);
  return std::nullopt;
}

}  // namespace paravent::proxy::main
