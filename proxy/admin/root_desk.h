// RootDesk: what the admin API asks of the gateway for another root key, and with it, where wanted,
// another way to unseal (crypto/vault/unseal/root_change.h). Implemented where the providers are
// (proxy/main). Thread safe; blocks as providers do.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::admin {

// The new way, and what is given for it. Only what the way needs is there.
struct RootWish {
  enum class Way : std::uint8_t { key_file, systemd_credential, passphrase, pkcs11, shares };
  Way way = Way::key_file;
  std::string name;    // key_file: its path; systemd_credential: its name
  std::string module;  // pkcs11
  std::string token;
  std::string key;
  std::uint32_t threshold = 0;  // shares
  std::uint32_t shares = 0;
  crypto::SecretBytes secret;  // the new pass-phrase, the PIN of the new token
  // What people hold of the present root key: the pass-phrase, or shares.
  std::vector<crypto::SecretBytes> present;
};

// "key-file", "systemd-credential", "passphrase", "pkcs11", "shares".
std::string_view way_name(RootWish::Way way) noexcept;

struct RootOffer {
  std::vector<crypto::SecretBytes> shares;  // to be handed out before decide()
  std::string ticket;
};

class RootDesk {
 public:
  virtual ~RootDesk() = default;
  // Prepares the change and tries the new way out; nothing is in force yet. One at a time: the next
  // one forgets this one, and so does sealing, the end, or ten minutes.
  // ErrorKind::refused: people hold the present root key, and what was given for it is not it;
  // usage, configuration, data, malformed: the new way cannot be taken.
  virtual crypto::Result<RootOffer> prepare(const RootWish& wish) = 0;
  // Puts it in force. ErrorKind::refused: no such change waits.
  virtual crypto::Status decide(std::string_view ticket) = 0;
};

}  // namespace paravent::proxy::admin
