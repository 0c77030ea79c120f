// error: (is private within this context|calling a private constructor)
// Nobody but the RequestProtector makes a ProtectedRequest.
#include "proxy/pipeline/protected_request.h"

#if defined(CORRECT)
paravent::proxy::ProtectedRequest pass_on(paravent::proxy::ProtectedRequest request) {
  return request;
}
#else
paravent::proxy::ProtectedRequest make() { return paravent::proxy::ProtectedRequest(); }
#endif
