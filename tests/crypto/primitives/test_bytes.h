// Small helpers of these tests: hex constants and repeatable random bytes.

#pragma once

#include <cstdlib>
#include <random>

#include "crypto/base/encoding.h"

namespace paravent::crypto {

// A typing error in a test's constant ends the test program.
inline Bytes unhex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) std::abort();
  return std::move(*bytes);
}

class Repeatable {
 public:
  explicit Repeatable(std::uint64_t seed) : engine_(seed) {}

  Bytes bytes(std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    return out;
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace paravent::crypto
