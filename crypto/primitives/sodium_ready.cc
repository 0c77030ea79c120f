#include "crypto/primitives/sodium_ready.h"

#include <sodium.h>

#include <cstdlib>

namespace paravent::crypto {

void require_sodium() noexcept {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();
}

}  // namespace paravent::crypto
