// Installation: an opened data directory with everything in it: vault, audit logs, operators.
//
// The part that init, serve and policy apply share. Holds the directory's lock for its lifetime.
// Sealed or not: the operators are there always, the vault and the audit logs, which need its keys,
// only between unlock() and lock(). Members are declared in the order in which they depend on each
// other, so destruction goes the safe way. Not thread safe; the gateway serialises.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"
#include "proxy/main/installation/root_key_source.h"

namespace paravent::proxy::main {

struct InstallationPaths {
  std::filesystem::path data;
  RootKeySettings root;
  crypto::vault::VaultMemory memory;
  crypto::vault::OlderKeys older_keys = crypto::vault::OlderKeys::refused;
  // True when a key file lies in the data directory because nobody said otherwise: worth a warning.
  bool key_beside_data() const {
    return root.unseal.way == config::UnsealWay::key_file && root.key_file.parent_path() == data;
  }
};

// `data` and `root_key` as given on the command line, empty where not given (CONTRACTS, defaults).
InstallationPaths installation_paths(const std::string& data, const std::string& root_key);

// What a gateway file says, with the flags laid over it, empty where not given. A flag takes the
// place of its own key of the file and of no other: `data` alone leaves vault.unseal as it is.
// Where nobody says how the root key is had, it lies with `data`.
InstallationPaths configured_paths(const config::GatewayConfig& config,
                                   const std::string& data = {}, const std::string& root_key = {});

// How a command came by `data`: an argument has to be there, and where it only repeats what the
// gateway file says it takes the place of nothing.
enum class DataFrom : std::uint8_t { flag, argument };

// For the commands that work on a data directory by themselves: configured_paths where a gateway
// file is given, the same that serve has by the same flags; else installation_paths. A pass-phrase
// or PIN and shares are asked for at the terminal. Where neither a gateway file nor a root key is
// named, the record beside the key store says which way it is. ErrorKind::configuration: the file
// has errors, which are printed.
crypto::Result<InstallationPaths> offline_paths(const std::string& config, const std::string& data,
                                                const std::string& root_key,
                                                DataFrom whose = DataFrom::flag);

// The root key of a data directory that another process may hold. ErrorKind::sealed: people would
// have to be asked.
crypto::Result<crypto::vault::RootKey> open_root_key(const InstallationPaths& paths);

class Installation {
 public:
  // Opens an initialised directory, and unlocks it. ErrorKind::data: never initialised, or any
  // fault of its contents; sealed: a person would have to be asked and nobody is there.
  static crypto::Result<std::unique_ptr<Installation>> open(const InstallationPaths& paths,
                                                            const crypto::Clock& clock);
  // The same without unlocking it.
  static crypto::Result<std::unique_ptr<Installation>> open_sealed(const InstallationPaths& paths,
                                                                   const crypto::Clock& clock);

  // What makes the root key, and what the key store says of it.
  crypto::vault::UnsealProvider& provider() { return *provider_; }
  const crypto::vault::RootCheck& root_check() const { return root_check_; }
  const RootKeySettings& root_settings() const { return root_; }
  // The key store is under another root key now, and this provider makes it.
  void use_root(RootKeySettings root, std::unique_ptr<crypto::vault::UnsealProvider> provider,
                const crypto::vault::RootCheck& check);
  // Opens vault and audit logs. On an error it stays sealed. REQUIRES: !is_open().
  crypto::Status unlock(crypto::vault::RootKey root);
  // Closes the audit logs and the vault, whose keys are wiped. REQUIRES: nobody uses them any more.
  void lock();
  bool is_open() const { return vault_ != nullptr; }

  // Puts the first credentials, as JSON, into somebody's hands. Called before the operators are
  // kept, so that a crash in between costs credentials that nobody needs and never ones that
  // somebody has to have.
  using HandOver = std::function<crypto::Status(const crypto::SecretBytes& json)>;
  // The same for shares of the root key, before anything depends on them.
  using ShareOut = std::function<crypto::Status(const crypto::vault::Handouts& shares)>;

  // Makes a new one: root key, first keys, two operators, the installation's audit log. Finishes
  // one that was interrupted before its operators were kept. ErrorKind::data: initialised before.
  static crypto::Result<std::unique_ptr<Installation>> initialise(const InstallationPaths& paths,
                                                                  const crypto::Clock& clock,
                                                                  const HandOver& hand_over,
                                                                  const ShareOut& share_out = {});

  // Initialised, and with operators.
  static bool is_initialised(const std::filesystem::path& data);

  crypto::vault::DataDirectory& directory() { return directory_; }
  crypto::vault::Vault& vault() { return *vault_; }
  admin::AuditLogs& audit() { return *audit_; }
  admin::Operators& operators() { return *operators_; }

 private:
  Installation(crypto::vault::DataDirectory directory, const crypto::Clock& clock,
               const InstallationPaths& paths)
      : directory_(std::move(directory)),
        clock_(clock),
        memory_(paths.memory),
        older_keys_(paths.older_keys) {}
  crypto::Result<crypto::vault::RootKey> first_root_key(bool interrupted);
  crypto::Status keep_root(const crypto::vault::RootKey& root, const crypto::vault::Id& id,
                           const ShareOut& share_out);
  crypto::Status open_parts(crypto::audit::OpenMode audit_mode);
  crypto::Status open_operators();
  crypto::Status make_provider_of(const RootKeySettings& root);
  crypto::Status make_first_operators(const HandOver& hand_over);

  crypto::vault::DataDirectory directory_;
  const crypto::Clock& clock_;
  const crypto::vault::VaultMemory memory_;
  const crypto::vault::OlderKeys older_keys_;
  RootKeySettings root_;  // that provider_ was made of
  std::unique_ptr<crypto::vault::UnsealProvider> provider_;
  crypto::vault::RootCheck root_check_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  std::unique_ptr<admin::AuditLogs> audit_;
  std::unique_ptr<admin::Operators> operators_;
};

}  // namespace paravent::proxy::main
