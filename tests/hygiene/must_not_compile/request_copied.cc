// error: (use of deleted function|call to deleted constructor)
// One ProtectedRequest, one exchange.
#include <utility>

#include "proxy/pipeline/protected_request.h"

paravent::proxy::ProtectedRequest again(paravent::proxy::ProtectedRequest& request) {
#if defined(CORRECT)
  return std::move(request);
#else
  return request;
#endif
}
