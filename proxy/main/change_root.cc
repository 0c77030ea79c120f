#include "proxy/main/change_root.h"

#include <utility>

#include "crypto/vault/engine/key_admin.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

Result<PendingRoot> prepare_root(Installation& installation, RootKeySettings next,
                                 const SecretBytes& secret) {
  const auto keys = installation.directory().keys();
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
