// error: (use of deleted function|call to deleted constructor)
// A secret is moved, never copied by accident.
#include <utility>

#include "crypto/base/secret_bytes.h"

paravent::crypto::SecretBytes again(paravent::crypto::SecretBytes& secret) {
#if defined(CORRECT)
  return std::move(secret);
#else
  return secret;
#endif
}
