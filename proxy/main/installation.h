// Installation: an opened data directory with everything in it: root key, vault, audit logs,
// operators.
//
// The part that init, serve and policy apply share. Holds the directory's lock for its lifetime.
// Members are declared in the order in which they depend on each other, so destruction goes the
// safe way.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/data_directory.h"
#include "crypto/vault/engine/vault.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::main {

struct InstallationPaths {
  std::filesystem::path data;
  std::filesystem::path root_key;
  // True when the key lies in the data directory because nobody said otherwise: worth a warning.
  bool key_beside_data() const { return root_key.parent_path() == data; }
};

// `data` and `root_key` as given on the command line, empty where not given (CONTRACTS, defaults).
InstallationPaths installation_paths(const std::string& data, const std::string& root_key);

class Installation {
 public:
  // Opens an initialised directory. ErrorKind::data: never initialised, or any fault of its
  // contents.
  static crypto::Result<std::unique_ptr<Installation>> open(const InstallationPaths& paths,
                                                            const crypto::Clock& clock);

  // Puts the first credentials, as JSON, into somebody's hands. Called before the operators are
  // kept, so that a crash in between costs credentials that nobody needs and never ones that
  // somebody has to have.
  using HandOver = std::function<crypto::Status(const crypto::SecretBytes& json)>;

  // Makes a new one: root key, first keys, two operators, the installation's audit log. Finishes
  // one that was interrupted before its operators were kept. ErrorKind::data: initialised before.
  static crypto::Result<std::unique_ptr<Installation>> initialise(const InstallationPaths& paths,
                                                                  const crypto::Clock& clock,
                                                                  const HandOver& hand_over);

  // Initialised, and with operators.
  static bool is_initialised(const std::filesystem::path& data);

  crypto::vault::DataDirectory& directory() { return directory_; }
  crypto::vault::Vault& vault() { return *vault_; }
  admin::AuditLogs& audit() { return *audit_; }
  admin::Operators& operators() { return *operators_; }

 private:
  explicit Installation(crypto::vault::DataDirectory directory)
      : directory_(std::move(directory)) {}
  crypto::Status open_parts(const crypto::Clock& clock, crypto::audit::OpenMode audit_mode);
  crypto::Status make_first_operators(const HandOver& hand_over);

  crypto::vault::DataDirectory directory_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  std::unique_ptr<admin::AuditLogs> audit_;
  std::unique_ptr<admin::Operators> operators_;
};

}  // namespace paravent::proxy::main
