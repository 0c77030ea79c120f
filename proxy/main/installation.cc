#include "proxy/main/installation.h"

#include <array>
#include <utility>

#include "proxy/config/gateway_config.h"

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
    paths.root_key = std::filesystem::absolute(root_key).lexically_normal();
  } else {
    paths.root_key =
        data.empty() ? std::filesystem::path(config::default_root_key()) : paths.data / "root.key";
  }
  return paths;
}

bool Installation::is_initialised(const std::filesystem::path& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(data, ignored)) return false;
  auto directory = DataDirectory::open(data);
  if (!directory || !directory->is_initialised()) return false;
  // Without a list of operators the initialisation was interrupted before its end. A list that
  // cannot be read is for open() to complain about.
  const auto operators = admin::Operators::open(directory->operators());
  return !operators || (*operators)->size() > 0;
}

Result<std::unique_ptr<Installation>> Installation::open(const InstallationPaths& paths,
                                                         const crypto::Clock& clock) {
  auto directory = DataDirectory::open(paths.data);
  if (!directory) return directory.error();
  if (!directory->is_initialised()) {
    return Error(ErrorKind::data, "There is no vault in " + paths.data.string() +
                                      "; make one with: paravent init --data " +
                                      paths.data.string());
  }
  auto root = RootKey::obtain(paths.root_key, true);
  if (!root) return root.error();
  auto installation = std::unique_ptr<Installation>(new Installation(std::move(*directory)));
  auto vault = Vault::open(installation->directory_, std::move(*root), clock);
  if (!vault) return vault.error();
  installation->vault_ = std::move(*vault);
  if (auto status = installation->open_parts(clock, crypto::audit::OpenMode::must_exist); !status)
    return status.error();
  return installation;
}

Result<std::unique_ptr<Installation>> Installation::initialise(const InstallationPaths& paths,
                                                               const crypto::Clock& clock,
                                                               const HandOver& hand_over) {
  auto directory = DataDirectory::create(paths.data);
  if (!directory) return directory.error();
  const bool interrupted = directory->is_initialised();
  if (interrupted) {
    auto operators = admin::Operators::open(directory->operators());
    if (!operators) return operators.error();
    if ((*operators)->size() > 0) {
      return Error(ErrorKind::data,
                   "There is a vault in " + paths.data.string() + " already; nothing was changed.");
    }
  }
  auto root = RootKey::obtain(paths.root_key, interrupted);
  if (!root) return root.error();
  auto installation = std::unique_ptr<Installation>(new Installation(std::move(*directory)));
  auto vault = interrupted ? Vault::open(installation->directory_, std::move(*root), clock)
                           : Vault::initialise(installation->directory_, std::move(*root), clock);
  if (!vault) return vault.error();
  installation->vault_ = std::move(*vault);
  if (auto status = installation->open_parts(clock, crypto::audit::OpenMode::create_if_missing);
      !status)
    return status.error();
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

Status Installation::open_parts(const crypto::Clock& clock, crypto::audit::OpenMode audit_mode) {
  auto audit = admin::AuditLogs::open(directory_.audit(), *vault_, clock, audit_mode);
  if (!audit) return audit.error();
  audit_ = std::move(*audit);
  auto operators = admin::Operators::open(directory_.operators());
  if (!operators) return operators.error();
  operators_ = std::move(*operators);
  return {};
}

}  // namespace paravent::proxy::main
