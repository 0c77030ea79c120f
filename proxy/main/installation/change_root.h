// Another root key for an opened installation, and with it, where wanted, another way to unseal
// (crypto/vault/unseal/root_change.h has the steps). What the command does offline and what the
// gateway does while it runs.

#pragma once

#include <memory>
#include <span>

#include "crypto/base/result.h"
#include "crypto/vault/unseal/root_change.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {

// A change that is prepared and tried out, and not in force.
struct PendingRoot {
  crypto::vault::RootChange change;
  std::unique_ptr<crypto::vault::UnsealProvider> opener;
  RootKeySettings settings;  // that `opener` was made of
};

// A new key file has to lie outside of the data directory. `next.secret` is not used: `secret` is
// the new pass-phrase or the PIN. Blocks as providers do.
crypto::Result<PendingRoot> prepare_root(Installation& installation, RootKeySettings next,
                                         const crypto::SecretBytes& secret);
// From here on the installation's provider is the new one. An error: everything is as it was.
crypto::Status decide_root(Installation& installation, PendingRoot pending);

// Whether a PKCS#11 module that is named through the API may be loaded into the process that holds
// all keys: a file of root's or of this user's that nobody else can write, below folders of which
// the same holds. Answers its path without symbolic links. ErrorKind::configuration.
crypto::Result<std::string> trusted_module(const std::string& module);

// Whether people, and nothing else, make the present root key, so that it is worth asking them: one
// admin must not replace what takes a quorum. A token's PIN cannot be asked: it is logged in.
bool people_hold(const RootKeySettings& root);
// Whether these secrets make it. ErrorKind::refused: they do not; or as UnsealProvider::give.
crypto::Status check_holders(Installation& installation,
                             std::span<const crypto::SecretBytes> given);

}  // namespace paravent::proxy::main
