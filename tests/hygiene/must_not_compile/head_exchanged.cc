// error: (could not convert|no viable conversion|cannot convert|no matching function)
// The client's own head, as it was parsed, is no ProtectedRequest.
#include <utility>

#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/upstream.h"

paravent::proxy::UpstreamExchange* forward(paravent::proxy::Upstream& upstream,
                                           paravent::proxy::UpstreamHandler& handler,
                                           paravent::proxy::ProtectedRequest request,
                                           [[maybe_unused]] paravent::proxy::RequestHead& head) {
#if defined(CORRECT)
  return upstream.exchange(std::move(request), handler);
#else
  return upstream.exchange(head, handler);
#endif
}
