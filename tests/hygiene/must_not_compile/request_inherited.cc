// error: (is private within this context|private constructor|private default constructor)
// Deriving from it does not open the door either.
#include <utility>

#include "proxy/pipeline/protected_request.h"

#if defined(CORRECT)
struct Mine : paravent::proxy::ProtectedRequest {
  explicit Mine(paravent::proxy::ProtectedRequest made)
      : paravent::proxy::ProtectedRequest(std::move(made)) {}
};
#else
struct Mine : paravent::proxy::ProtectedRequest {
  Mine() : paravent::proxy::ProtectedRequest() {}
};
#endif
