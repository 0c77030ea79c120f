// The root key from a file: a key file of its own, or a credential that systemd hands to the
// service (systemd.exec(5), LoadCredential= and LoadCredentialEncrypted=; the file lies in
// $CREDENTIALS_DIRECTORY). Both hold the one line of root_key.h and need no record.

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/vault/unseal/unseal_provider.h"

namespace paravent::crypto::vault {

class FileProvider final : public UnsealProvider {
 public:
  // A key file.
  explicit FileProvider(std::filesystem::path file) : file_(std::move(file)) {}
  // A systemd credential of this name. ErrorKind::configuration: no credential's name, or this
  // process was not started with credentials.
  static Result<std::unique_ptr<FileProvider>> systemd_credential(std::string_view name);

  UnsealMethod method() const noexcept override {
    return credential_.empty() ? UnsealMethod::key_file : UnsealMethod::systemd_credential;
  }
  Result<std::optional<RootKey>> open(const RootCheck& check) override;
  // Nobody is asked: ErrorKind::malformed.
  Result<std::optional<RootKey>> give(const SecretBytes& secret, const RootCheck& check) override;
  // Writes the key file. A credential is systemd's to keep: ErrorKind::usage.
  Result<Handouts> establish(const RootKey& root, const Id& installation,
                             RecordPlace place) override;

  // For a new vault: the root key of a file or credential that is there already, for somebody may
  // have made and kept it on purpose; else a new key file.
  Result<RootKey> obtain_new() const;

 private:
  std::filesystem::path file_;
  std::string credential_;
};

}  // namespace paravent::crypto::vault
