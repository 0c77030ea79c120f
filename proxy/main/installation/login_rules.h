// What the gateway file says about logins, in the words of the admin API; and the key of the vault
// that names which nobody has are kept under. Pure.

#pragma once

#include <memory>

#include "crypto/base/secret_arena.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/hmac_sha256.h"
#include "proxy/admin/operators/login_desk.h"
#include "proxy/config/gateway_config.h"

namespace paravent::proxy::main {

inline admin::LoginRules login_rules_of(const config::GatewayConfig& config) {
  admin::LoginRules rules;
  rules.passphrase.length = config.operators.passphrase_length;
  rules.passphrase.classes = config.operators.passphrase_classes;
  rules.session_minutes = config.operators.session_minutes;
  return rules;
}

// `seed`: the installation's, which stays the same; it signs, and this is a branch of its own
// (HMAC as a pseudo-random function, NIST SP 800-108 in one step with a label).
inline std::shared_ptr<const crypto::HmacSha256> login_names_key(const crypto::SecretBytes& seed) {
  crypto::Sha256Digest key =
      crypto::hmac_sha256(seed.bytes(), crypto::as_bytes("paravent/v1/login-names"));
  auto made = crypto::share_in_arena(crypto::HmacSha256(key));
  crypto::wipe(key);
  return made;
}

}  // namespace paravent::proxy::main
