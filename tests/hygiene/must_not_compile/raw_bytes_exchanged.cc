// error: (could not convert|no viable conversion|cannot convert|no matching function)
// Bytes of a request are no ProtectedRequest, whoever holds them.
#include <string_view>
#include <utility>

#include "proxy/pipeline/upstream.h"

paravent::proxy::UpstreamExchange* forward(paravent::proxy::Upstream& upstream,
                                           paravent::proxy::UpstreamHandler& handler,
                                           paravent::proxy::ProtectedRequest request,
                                           [[maybe_unused]] std::string_view bytes) {
#if defined(CORRECT)
  return upstream.exchange(std::move(request), handler);
#else
  return upstream.exchange(bytes, handler);
#endif
}
