#include "proxy/main/installation/change_root.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "crypto/vault/engine/upkeep/key_admin.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

namespace {

namespace fs = std::filesystem;

// The vault's own files would be taken for the key, or the key for one of them; and it would be in
// every backup of them.
Status check_outside(const fs::path& file, const fs::path& data) {
  std::error_code error;
  const fs::path key = fs::weakly_canonical(file, error);
  const fs::path folder = error ? fs::path() : fs::canonical(data, error);
  const auto differ = std::mismatch(folder.begin(), folder.end(), key.begin(), key.end());
  if (!error && differ.first != folder.end()) return {};
  return Error(ErrorKind::usage, "The new root key file " + file.string() +
                                     " has to lie outside of the data directory, which it "
                                     "protects; name another place.");
}

}  // namespace

Result<std::string> trusted_module(const std::string& module) {
  const Error untrusted(ErrorKind::configuration,
                        "The PKCS#11 module is not taken from there: it has to be a file of root's "
                        "or of the gateway's user, which nobody else can write, and so have all "
                        "folders above it.");
  std::error_code error;
  const fs::path path = fs::canonical(module, error);
  if (error || !fs::is_regular_file(path, error)) return untrusted;
  for (fs::path at = path;; at = at.parent_path()) {
    struct stat status {};
    const bool good = ::lstat(at.c_str(), &status) == 0 &&
                      (status.st_uid == 0 || status.st_uid == ::geteuid()) &&
                      (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (!good) return untrusted;
    if (at == at.root_path()) return path.string();
  }
}

Result<PendingRoot> prepare_root(Installation& installation, RootKeySettings next,
                                 const SecretBytes& secret) {
  const auto keys = installation.directory().keys();
  if (next.unseal.way == config::UnsealWay::key_file) {
    if (auto s = check_outside(next.key_file, installation.directory().path()); !s) {
      return s.error();
    }
  }
  next.secret = [&secret]() -> Result<SecretBytes> { return secret.clone(); };
  auto maker = make_provider(next, keys);
  if (!maker) return maker.error();
  next.secret = nullptr;
  auto opener = make_provider(next, keys);
  if (!opener) return opener.error();
  auto change = crypto::vault::RootChange::prepare(keys, installation.root_check(), **maker,
                                                   **opener, secret);
  if (!change) return change.error();
  return PendingRoot{std::move(*change), std::move(*opener), std::move(next)};
}

Status decide_root(Installation& installation, PendingRoot pending) {
  const crypto::vault::RootCheck check = pending.change.check();
  const auto replace = [&](const crypto::vault::RootKey& next) {
    return crypto::vault::KeyAdmin(installation.vault()).replace_root(next);
  };
  if (auto s = pending.change.decide(replace); !s) return s;
  installation.use_root(std::move(pending.settings), std::move(pending.opener), check);
  return {};
}

bool people_hold(const RootKeySettings& root) {
  const bool passphrase = root.unseal.way == config::UnsealWay::passphrase;
  return root.unseal.way == config::UnsealWay::shares ||
         (passphrase && root.unseal.passphrase_file.empty());
}

Status check_holders(Installation& installation, std::span<const SecretBytes> given) {
  const Error wrong(ErrorKind::refused,
                    "The present root key is in people's hands, and what was given for it does "
                    "not make it; give the pass-phrase or enough shares.");
  RootKeySettings present = installation.root_settings();
  present.secret = nullptr;
  auto provider = make_provider(present, installation.directory().keys());
  if (!provider) return provider.error();
  for (const SecretBytes& secret : given) {
    auto root = (*provider)->give(secret, installation.root_check());
    if (!root && root.error().kind() != ErrorKind::data) return wrong;
    if (!root) return root.error();
    if (*root) return {};
  }
  return wrong;
}

}  // namespace paravent::proxy::main
