// error: (is private within this context|calling a private constructor)
// Only the Reidentifier makes the permit that opens a value; a reference to the vault is not
// enough.
#include "crypto/vault/engine/reverse/reverse.h"

#if defined(CORRECT)
paravent::crypto::Result<paravent::crypto::vault::TokenDescription> look(
    const paravent::crypto::vault::ReverseVault& vault,
    const paravent::crypto::ParsedToken& token) {
  return vault.describe(token);
}
#else
paravent::crypto::Result<paravent::crypto::SecretBytes> look(
    const paravent::crypto::vault::ReverseVault& vault,
    const paravent::crypto::ParsedToken& token) {
  return vault.open_value(token, "contact", {});
}
#endif
