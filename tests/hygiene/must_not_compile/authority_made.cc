// error: (is private within this context|calling a private constructor)
// The right to issue grants comes with the staircase, from the composition root.
#include <utility>

#include "crypto/reveal/reidentifier.h"

#if defined(CORRECT)
paravent::crypto::reveal::GrantAuthority authority(paravent::crypto::vault::Vault& vault) {
  return std::move(paravent::crypto::reveal::build_staircase(vault).access);
}
#else
paravent::crypto::reveal::GrantAuthority authority() {
  return paravent::crypto::reveal::GrantAuthority(nullptr);
}
#endif
