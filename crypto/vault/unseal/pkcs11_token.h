// Pkcs11Token: a logged-in session with one token of a PKCS#11 module, and the AES key in it that
// wraps the root key. The only file behind which PKCS#11 is visible.
//
// Sources: OASIS PKCS#11 2.40 and 3.0 (CKM_AES_KEY_WRAP_KWP), RFC 5649 (KWP). The key has to be
// sensitive and not extractable; what is wrapped passes through a session object, so that the token
// needs no other function than C_WrapKey and C_UnwrapKey. A wrong PIN is never tried twice by
// itself: tokens lock. Owned by one thread at a time; blocks on the token. The session ends with
// the object; the module stays loaded, because modules do not survive being unloaded.

#pragma once

#include <memory>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/unseal/unseal_record.h"

namespace paravent::crypto::vault {

struct Pkcs11Location {
  std::string module;  // the path of the module's library
  std::string token;   // the token's label
  std::string key;     // the key's label
};

// Whether this PIN comes from a person who can be asked again, or from a file.
enum class PinFrom : std::uint8_t { person, file };

class Pkcs11Token {
 public:
  // ErrorKind::configuration: the module cannot be loaded. data, one sentence each: no such token,
  // or two; the PIN is locked, or from a file and the token has one try left; the token was
  // removed; it answers something else. refused: the PIN is wrong.
  static Result<std::unique_ptr<Pkcs11Token>> open(const Pkcs11Location& location,
                                                   const SecretBytes& pin, PinFrom pin_from);
  ~Pkcs11Token();
  Pkcs11Token(const Pkcs11Token&) = delete;
  Pkcs11Token& operator=(const Pkcs11Token&) = delete;

  // Finds the key, or makes a new AES-256 key that cannot leave the token. ErrorKind::data: it is
  // missing, there twice, or could be read out.
  Status find_key();
  Status find_or_make_key();

  // REQUIRES: find_key or find_or_make_key succeeded. ErrorKind::data: the token refuses, or was
  // removed.
  Result<Bytes> wrap(const SecretBytes& plain, WrapMechanism& mechanism);
  // ErrorKind::malformed without a sentence: what was wrapped by another key, or altered.
  Result<SecretBytes> unwrap(ByteView wrapped, WrapMechanism mechanism);

  // Whether token, session and key are still there. Asks the token.
  bool present();

 private:
  struct State;
  explicit Pkcs11Token(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace paravent::crypto::vault
