// error: (no match for operator<<|invalid operands to binary expression)
// A secret has no printed form.
#include <ostream>

#include "crypto/base/secret_bytes.h"

void say(std::ostream& out, const paravent::crypto::SecretBytes& secret) {
#if defined(CORRECT)
  out << secret.size();
#else
  out << secret;
#endif
}
