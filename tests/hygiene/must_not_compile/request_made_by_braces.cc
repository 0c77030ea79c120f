// error: (is private within this context|calling a private constructor)
// Not even as an aggregate.
#include "proxy/pipeline/protected_request.h"

#if defined(CORRECT)
paravent::proxy::ProtectedRequest pass_on(paravent::proxy::ProtectedRequest request) {
  return request;
}
#else
paravent::proxy::ProtectedRequest make() { return {}; }
#endif
