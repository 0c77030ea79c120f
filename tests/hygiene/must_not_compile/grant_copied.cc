// error: (use of deleted function|call to deleted constructor)
// One Grant, one re-identification.
#include <utility>

#include "crypto/reveal/grant.h"

paravent::crypto::reveal::Grant again(paravent::crypto::reveal::Grant& grant) {
#if defined(CORRECT)
  return std::move(grant);
#else
  return grant;
#endif
}
