// error: (is private within this context|calling a private constructor)
// Only authentication says who somebody is.
#include "crypto/reveal/principal.h"

paravent::crypto::reveal::Principal someone(
    [[maybe_unused]] const paravent::crypto::reveal::PrincipalAuthority& authority,
    const paravent::crypto::vault::Id& tenant) {
#if defined(CORRECT)
  return authority.authenticated("dpo", "dpo", tenant);
#else
  return paravent::crypto::reveal::Principal(nullptr, "dpo", "dpo", tenant);
#endif
}
