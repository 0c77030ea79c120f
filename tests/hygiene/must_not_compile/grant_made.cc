// error: (is private within this context|calling a private constructor)
// Only a GrantAuthority issues a Grant.
#include "crypto/reveal/grant.h"

#if defined(CORRECT)
paravent::crypto::reveal::Grant pass_on(paravent::crypto::reveal::Grant grant) { return grant; }
#else
paravent::crypto::reveal::Grant make() { return {}; }
#endif
