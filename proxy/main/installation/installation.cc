#include "proxy/main/installation/installation.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "crypto/base/process_memory.h"
#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/vault/memory_share.h"
#include "crypto/vault/unseal/file_provider.h"
#include "crypto/vault/unseal/unseal_record.h"
#include "proxy/config/gateway_config.h"
#include "proxy/main/installation/was_in_use.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::vault::DataDirectory;
using crypto::vault::RootKey;
using crypto::vault::Vault;

InstallationPaths installation_paths(const std::string& data, const std::string& root_key) {
  InstallationPaths paths;
  paths.data = std::filesystem::absolute(data.empty() ? config::default_data_directory() : data)
                   .lexically_normal();
  if (!paths.data.has_filename()) paths.data = paths.data.parent_path();
  if (!root_key.empty()) {
    paths.root.key_file = std::filesystem::absolute(root_key).lexically_normal();
  } else {
    paths.root.key_file =
        data.empty() ? std::filesystem::path(config::default_root_key()) : paths.data / "root.key";
  }
  return paths;
}

namespace {

// What the gateway file says, or a share of the memory that there is, or that the process may take.
crypto::vault::VaultMemory token_memory(const config::GatewayConfig& config) {
  const config::VaultMemoryConfig& asked = config.vault_memory;
  crypto::vault::VaultMemory memory{.known = asked.known_tokens, .store = asked.store};
  if (memory.known > 0 && memory.store > 0) return memory;
  std::uint64_t bytes = crypto::memory_of_process();
  if (config.limits.memory_bytes > 0) bytes = std::min(bytes, config.limits.memory_bytes);
  const auto share = crypto::vault::memory_share(bytes);
  if (memory.known == 0) memory.known = share.known;
  if (memory.store == 0) memory.store = share.store;
  return memory;
}

}  // namespace

InstallationPaths configured_paths(const config::GatewayConfig& config, const std::string& data,
                                   const std::string& root_key) {
  const InstallationPaths flags = installation_paths(data, root_key);
  InstallationPaths paths;
  paths.data = config.data;
  paths.root.unseal = config.unseal;
  paths.root.key_file = config.root_key;
  paths.memory = token_memory(config);
  if (!data.empty()) paths.data = flags.data;
  if (!root_key.empty() || (!data.empty() && !config.says_unseal)) paths.root = flags.root;
  return paths;
}

namespace {

void ask_people(RootKeySettings& root) {
  root.secret = [way = root.unseal.way] {
    return ask_secret(way == config::UnsealWay::shares ? "Share of the root key"
                                                       : "Pass-phrase or PIN");
  };
}

// Of a vault that nobody has said a word about: what its record says.
void find_way(InstallationPaths& paths) {
  const auto keys = paths.data / "keys";
  std::error_code ignored;
  if (!std::filesystem::exists(keys / "unseal", ignored) &&
      !std::filesystem::exists(keys / "unseal.next", ignored)) {
    return;
  }
  const auto check = crypto::vault::read_root_check(keys);
  if (!check) return;  // whoever opens it has the sentence
  const auto record = crypto::vault::record_in_force(keys, *check);
  if (!record || !*record) return;
  switch ((*record)->method()) {
    case crypto::vault::UnsealMethod::passphrase:
      paths.root.unseal.way = config::UnsealWay::passphrase;
      break;
    case crypto::vault::UnsealMethod::shares:
      paths.root.unseal.way = config::UnsealWay::shares;
      paths.root.unseal.shares = std::get<crypto::vault::ShareRecord>((*record)->body).threshold;
      break;
    default:
      return;  // which token only a gateway file says
  }
  ask_people(paths.root);
}

// Links followed where both are there.
bool same_folder(const std::string& one, const std::string& other) {
  std::error_code error;
  return installation_paths(one, {}).data == installation_paths(other, {}).data ||
         (std::filesystem::equivalent(one, other, error) && !error);
}

// The default directory's key has a place of its own, whether the directory is named or not.
void find_key(InstallationPaths& paths) {
  std::error_code unseen;
  if (paths.root.unseal.way != config::UnsealWay::key_file ||
      std::filesystem::exists(paths.root.key_file, unseen) ||
      !std::filesystem::exists(paths.data / "keys" / crypto::vault::kKeyStoreFile, unseen)) {
    return;
  }
  const std::string usual = config::default_root_key();
  if (std::filesystem::exists(usual, unseen) &&
      same_folder(paths.data.string(), config::default_data_directory())) {
    paths.root.key_file = usual;
  }
}

}  // namespace

Result<InstallationPaths> offline_paths(const std::string& config, const std::string& data,
                                        const std::string& root_key, DataFrom whose) {
  if (config.empty()) {
    InstallationPaths paths = installation_paths(data, root_key);
    if (!root_key.empty()) return paths;
    find_way(paths);
    find_key(paths);
    return paths;
  }
  const auto loaded = config::load_gateway_file(config);
  std::fputs(policies::diagnostics_text(loaded.diagnostics).c_str(), stderr);
  if (loaded.diagnostics.has_errors()) {
    return Error(ErrorKind::configuration, "The gateway file has errors; nothing was done.");
  }
  const bool repeated = whose == DataFrom::argument && same_folder(data, loaded.config.data);
  InstallationPaths paths =
      configured_paths(loaded.config, repeated ? std::string() : data, root_key);
  ask_people(paths.root);
  return paths;
}

Result<RootKey> open_root_key(const InstallationPaths& paths) {
  // A key file that is missing has its own sentence, whether or not there is a vault.
  if (paths.root.unseal.way == config::UnsealWay::key_file) {
    return RootKey::read(paths.root.key_file);
  }
  auto provider = make_provider(paths.root, paths.data / "keys");
  if (!provider) return provider.error();
  auto check = crypto::vault::read_root_check(paths.data / "keys");
  if (!check) return check.error();
  return open_root(**provider, *check, paths.root.secret,
                   Error(ErrorKind::sealed,
                         "The root key of this vault is in shares, and not enough of them were "
                         "given."));
}

namespace {

// Made anew it would be other people's, and those who were revoked.
Error operators_missing(const DataDirectory& directory) {
  return {ErrorKind::data,
          "The list of operators " + (directory.operators() / "operators").string() +
              " is missing; restore it from a data backup (nothing was made anew)."};
}

}  // namespace

bool Installation::is_initialised(const std::filesystem::path& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(data, ignored)) return false;
  auto directory = DataDirectory::open(data);
  if (!directory || !directory->is_initialised()) return false;
  // Without a list of operators the initialisation was interrupted before its end, or the list is
  // lost. Of that, and of one that cannot be read, open() complains.
  const auto operators = admin::Operators::open(directory->operators(), crypto::vault::kNoId);
  return !operators || (*operators)->size() > 0 || was_in_use(directory->audit());
}

Result<std::unique_ptr<Installation>> Installation::open_sealed(const InstallationPaths& paths,
                                                                const crypto::Clock& clock) {
  auto directory = DataDirectory::open(paths.data);
  if (!directory) return directory.error();
  if (!directory->is_initialised()) {
    return Error(ErrorKind::data, "There is no vault in " + paths.data.string() +
                                      "; check the name, or give --config or --data.");
  }
  auto installation =
      std::unique_ptr<Installation>(new Installation(std::move(*directory), clock, paths));
  if (auto status = installation->make_provider_of(paths.root); !status) return status.error();
  auto check = crypto::vault::read_root_check(installation->directory_.keys());
  if (!check) return check.error();
  installation->root_check_ = *check;
  if (auto status = crypto::vault::check_unseal_method(installation->directory_.keys(), *check,
                                                       installation->provider_->method());
      !status) {
    return status.error();
  }
  if (auto status = installation->open_operators(); !status) return status.error();
  if (installation->operators_->size() == 0 && was_in_use(installation->directory_.audit())) {
    return operators_missing(installation->directory_);
  }
  return installation;
}

Result<std::unique_ptr<Installation>> Installation::open(const InstallationPaths& paths,
                                                         const crypto::Clock& clock) {
  auto installation = open_sealed(paths, clock);
  if (!installation) return installation.error();
  auto root =
      open_root((*installation)->provider(), (*installation)->root_check(), paths.root.secret,
                Error(ErrorKind::sealed, "The vault in " + paths.data.string() + " is sealed by " +
                                             std::string(crypto::vault::unseal_method_name(
                                                 (*installation)->provider().method())) +
                                             ", and nobody gave enough for it here."));
  if (!root) return root.error();
  if (auto status = (*installation)->unlock(std::move(*root)); !status) return status.error();
  return installation;
}

Status Installation::make_provider_of(const RootKeySettings& root) {
  auto provider = make_provider(root, directory_.keys());
  if (!provider) return provider.error();
  provider_ = std::move(*provider);
  root_ = root;
  return {};
}

void Installation::use_root(RootKeySettings root,
                            std::unique_ptr<crypto::vault::UnsealProvider> provider,
                            const crypto::vault::RootCheck& check) {
  root_ = std::move(root);
  provider_ = std::move(provider);
  root_check_ = check;
}

Status Installation::unlock(RootKey root) {
  const crypto::vault::RootCheck check{root_check_.installation,
                                       root.check_value(root_check_.installation)};
  auto vault = Vault::open(directory_, std::move(root), clock_, memory_, older_keys_);
  if (!vault) return vault.error();
  vault_ = std::move(*vault);
  // Before, it was not certain whose keys these are.
  auto status = operators_->belong_to(root_check_.installation);
  if (status) status = open_parts(crypto::audit::OpenMode::must_exist);
  // A change of the way to unseal that was interrupted comes to its end.
  if (status) status = crypto::vault::settle_unseal_records(directory_.keys(), check);
  if (!status) lock();
  return status;
}

void Installation::lock() {
  audit_.reset();
  vault_.reset();
  if (provider_) provider_->forget();
}

// Of a directory that holds no vault yet, or one that nobody can have relied on.
Result<RootKey> Installation::first_root_key(bool interrupted) {
  if (interrupted) {
    auto root = provider_->open(root_check_);
    if (!root) return root.error();
    if (*root) return std::move(**root);
    return Error(ErrorKind::data,
                 "An initialisation was interrupted in " + directory_.path().string() +
                     " before anybody could rely on it; remove that folder and begin again.");
  }
  if (const auto* file = dynamic_cast<const crypto::vault::FileProvider*>(provider_.get())) {
    return file->obtain_new();
  }
  return RootKey::ephemeral();
}

Status Installation::keep_root(const RootKey& root, const crypto::vault::Id& id,
                               const ShareOut& share_out) {
  const auto method = provider_->method();
  if (method == crypto::vault::UnsealMethod::key_file ||
      method == crypto::vault::UnsealMethod::systemd_credential) {
    return {};  // it came from there
  }
  auto shares = provider_->establish(root, id, crypto::vault::RecordPlace::current);
  if (!shares) return shares.error();
  if (shares->empty()) return {};
  if (!share_out) {
    return Error(ErrorKind::usage,
                 "A vault whose root key is shared is made by paravent init --shares K/N, which "
                 "shows the shares once.");
  }
  return share_out(*shares);
}

Result<std::unique_ptr<Installation>> Installation::initialise(const InstallationPaths& paths,
                                                               const crypto::Clock& clock,
                                                               const HandOver& hand_over,
                                                               const ShareOut& share_out) {
  // A backup or a removal of the one would take the other along.
  for (auto above = paths.data.parent_path(); above.has_relative_path();
       above = above.parent_path()) {
    std::error_code unseen;
    if (std::filesystem::exists(above / "keys" / crypto::vault::kKeyStoreFile, unseen)) {
      return Error(ErrorKind::data, paths.data.string() + " lies in the data directory " +
                                        above.string() + " of another vault; choose another one.");
    }
  }
  auto directory = DataDirectory::create(paths.data);
  if (!directory) return directory.error();
  const bool interrupted = directory->is_initialised();
  auto installation =
      std::unique_ptr<Installation>(new Installation(std::move(*directory), clock, paths));
  if (auto status = installation->open_operators(); !status) return status.error();
  if (interrupted && installation->operators_->size() > 0) {
    return Error(ErrorKind::data,
                 "There is a vault in " + paths.data.string() + " already; nothing was changed.");
  }
  if (interrupted && was_in_use(installation->directory_.audit())) {
    return operators_missing(installation->directory_);
  }
  if (auto status = installation->make_provider_of(paths.root); !status) return status.error();
  if (interrupted) {
    auto check = crypto::vault::read_root_check(installation->directory_.keys());
    if (!check) return check.error();
    installation->root_check_ = *check;
  }
  auto root = installation->first_root_key(interrupted);
  if (!root) return root.error();
  auto vault = interrupted
                   ? Vault::open(installation->directory_, std::move(*root), clock, paths.memory)
                   : Vault::initialise(
                         installation->directory_, std::move(*root), clock,
                         [&](const RootKey& made, const crypto::vault::Id& id) {
                           return installation->keep_root(made, id, share_out);
                         },
                         paths.memory);
  if (!vault) return vault.error();
  installation->vault_ = std::move(*vault);
  // Where the logs went with the list. A policy makes the first tenant.
  if (interrupted && installation->vault_->has_tenants()) {
    return operators_missing(installation->directory_);
  }
  if (auto status = installation->open_parts(crypto::audit::OpenMode::create_if_missing); !status)
    return status.error();
  auto check = crypto::vault::read_root_check(installation->directory_.keys());
  if (!check) return check.error();
  installation->root_check_ = *check;
  if (auto status = installation->open_operators(); !status) return status.error();
  if (auto status = installation->make_first_operators(hand_over); !status) return status.error();
  return installation;
}

Status Installation::make_first_operators(const HandOver& hand_over) {
  auto dpo = operators_->make("dpo", "dpo", crypto::vault::kNoId);
  if (!dpo) return dpo.error();
  auto admin = operators_->make("admin", "admin", crypto::vault::kNoId);
  if (!admin) return admin.error();
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::init;
  entry.detail.object = "operators dpo, admin";
  if (auto receipt = audit_->installation().append(entry); !receipt) return receipt.error();
  const auto json = admin::first_credentials_json(dpo->credential, admin->credential);
  if (auto status = hand_over(json); !status) return status;
  return operators_->keep({dpo->kept, admin->kept});
}

Status Installation::open_parts(crypto::audit::OpenMode audit_mode) {
  auto audit = admin::AuditLogs::open(directory_.audit(), *vault_, clock_, audit_mode);
  if (!audit) return audit.error();
  audit_ = std::move(*audit);
  return {};
}

Status Installation::open_operators() {
  auto operators = admin::Operators::open(directory_.operators(), root_check_.installation);
  if (!operators) return operators.error();
  operators_ = std::move(*operators);
  return {};
}

}  // namespace paravent::proxy::main
