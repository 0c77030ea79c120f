// What the micro benchmarks of cryptography share.

#pragma once

#include <cstddef>
#include <cstdlib>

#include "crypto/base/bytes.h"
#include "crypto/primitives/random.h"

namespace paravent::bench {

inline crypto::Bytes some_bytes(std::size_t size) {
  crypto::Bytes bytes(size);
  crypto::random_bytes(bytes);
  return bytes;
}

// A benchmark whose set-up fails must not print a figure.
inline void require(bool ok) {
  if (!ok) std::abort();
}

}  // namespace paravent::bench
