#include "proxy/main/commands/key_cli.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/main/commands/admin_address.h"

namespace paravent::proxy::main {
namespace {

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
}

void add_tenants(CLI::App& app, KeysOptions& keys) {
  CLI::App* group = app.add_subcommand("tenants", "Tenants");
  group->require_subcommand(1);
  add_key_client(*group, "list", "Every tenant", keys, "tenants");
  CLI::App* command = add_key_client(*group, "create", "Make a tenant", keys, "create");
  command->add_option("NAME", keys.id, "Its name, as policies spell it")->required();
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
  command =
      add_key_client(*group, "destroy", "Destroy everything of a tenant, for ever", keys, "end");
  command->add_option("NAME", keys.id, "Its name")->required();
  command->add_option("--confirm", keys.confirm, "Its name once more")->required();
  command->add_option("--reason", keys.reason, "Why; goes on the record")->required();
}

}  // namespace

void add_key_commands(CLI::App& app, KeyCommandOptions& options) {
  add_keys(app, options.keys, options.rewrap, options.verify, options.accept);
  add_tenants(app, options.keys);
}

std::optional<int> dispatch_key(const CLI::App& app, const KeyCommandOptions& options) {
  if (app.got_subcommand("tenants")) return run_keys(options.keys);
  if (!app.got_subcommand("keys")) return std::nullopt;
  const CLI::App* keys = app.get_subcommand("keys");
  if (keys->got_subcommand("rewrap")) return run_keys_rewrap(options.rewrap);
  if (keys->got_subcommand("accept-older")) return run_keys_accept_older(options.accept);
  if (keys->got_subcommand("verify-certificate")) return run_verify_certificate(options.verify);
  return run_keys(options.keys);
}

}  // namespace paravent::proxy::main
