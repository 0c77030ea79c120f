// error: (use of deleted function|call to deleted constructor)
// exchange() consumes what it is given.
#include <utility>

#include "proxy/pipeline/upstream.h"

paravent::proxy::UpstreamExchange* forward(paravent::proxy::Upstream& upstream,
                                           paravent::proxy::UpstreamHandler& handler,
                                           paravent::proxy::ProtectedRequest& request) {
#if defined(CORRECT)
  return upstream.exchange(std::move(request), handler);
#else
  return upstream.exchange(request, handler);
#endif
}
