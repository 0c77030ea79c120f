// error: (too few arguments|no matching function|no match for)
// No value without the proof that its entry is durable.
#include <utility>

#include "crypto/reveal/reidentifier.h"

paravent::crypto::Result<paravent::crypto::SecretBytes> open(
    const paravent::crypto::reveal::Reidentifier& reidentifier,
    const paravent::crypto::ParsedToken& token, paravent::crypto::reveal::Grant grant,
    [[maybe_unused]] paravent::crypto::audit::AuditReceipt receipt) {
#if defined(CORRECT)
  return reidentifier.reidentify(token, std::move(grant), std::move(receipt));
#else
  return reidentifier.reidentify(token, std::move(grant));
#endif
}
