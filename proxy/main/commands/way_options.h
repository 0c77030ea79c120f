// From the flags of a command to a way to unseal: --root-key, --passphrase, --shares, --pkcs11-...
// of init, and the same with new- in front of keys rewrap.

#pragma once

#include <string>
#include <string_view>

#include "proxy/main/installation/root_key_source.h"

namespace paravent::proxy::main {

struct WayOptions {
  std::string root_key;
  std::string systemd_credential;
  bool passphrase = false;
  std::string shares;  // K/N
  std::string pkcs11_module;
  std::string pkcs11_token;
  std::string pkcs11_key;
};

// Leaves the settings as they are where no flag says anything. `prefix`: of the flags' names, "--"
// or "--new-". ErrorKind::usage: more than one way, or half of one.
crypto::Status choose_way(const WayOptions& options, std::string_view prefix,
                          RootKeySettings& root);
bool names_a_way(const WayOptions& options);

// Twice where a terminal asks, because a mistyped pass-phrase would lock everybody out.
crypto::Result<crypto::SecretBytes> ask_new_passphrase();

// As it stands in a gateway file: "{ passphrase: ask }".
std::string way_text(const RootKeySettings& root);

}  // namespace paravent::proxy::main
