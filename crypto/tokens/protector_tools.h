// What the slots of one FieldProtector share: the source of nonces, the clock of content keys and
// one buffer. Owned by the protector, used by its one thread.

#pragma once

#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto {

struct ProtectorTools {
  // Held ready for the next value; a larger one gives its memory back afterwards.
  static constexpr std::size_t kKeptBuffer = 16384;

  std::unique_ptr<RandomSource> random;
  std::unique_ptr<MonotonicClock> clock;
  // Frames are encrypted where they lie, so that no clear byte outlives its call; a failure wipes.
  Bytes buffer;

  MutableBytes room(std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
    return MutableBytes(buffer).first(size);
  }
  void give_back() {
    if (buffer.size() > kKeptBuffer) Bytes(kKeptBuffer).swap(buffer);
  }
};

}  // namespace paravent::crypto
