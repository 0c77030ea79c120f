// RootKeySource: from the settings of an installation to the provider of its root key, and the
// places that secrets are read from: a private file, a descriptor, the terminal without echo. Never
// the command line, which other users can read.

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/unseal/passphrase_provider.h"
#include "crypto/vault/unseal/unseal_provider.h"
#include "proxy/config/gateway_config.h"

namespace paravent::proxy::main {

// Everything that says where the root key comes from.
struct RootKeySettings {
  config::UnsealSettings unseal;
  std::filesystem::path key_file;  // of UnsealWay::key_file
  // Of passphrase and pkcs11 where the settings name no file; null: a person is asked later.
  crypto::vault::SecretSource secret;
  std::uint32_t shares_made = 0;  // of shares: how many init makes
};

// `keys_folder`: DATA/keys. ErrorKind::data: a systemd credential without systemd.
crypto::Result<std::unique_ptr<crypto::vault::UnsealProvider>> make_provider(
    const RootKeySettings& settings, const std::filesystem::path& keys_folder);

// The root key, as far as nobody has to be asked for it; else from people: one secret after the
// other from `ask` until it is made. `nobody`: what to say where there is nobody to ask, or they
// have no more. A wrong secret is ErrorKind::data: there is no second try.
crypto::Result<crypto::vault::RootKey> open_root(crypto::vault::UnsealProvider& provider,
                                                 const crypto::vault::RootCheck& check,
                                                 const crypto::vault::SecretSource& ask,
                                                 const crypto::Error& nobody);

// One line, without its ending. ErrorKind::usage: it cannot be read, or is longer than 4096 bytes.
crypto::Result<crypto::SecretBytes> read_secret_from(int descriptor);
// From the terminal, without echo; asks on standard error. From standard input where that is no
// terminal.
crypto::Result<crypto::SecretBytes> ask_secret(const std::string& question);
// A file that nobody else can read.
crypto::Result<crypto::SecretBytes> read_secret_file(const std::filesystem::path& file);

}  // namespace paravent::proxy::main
