// Randomness: from the kernel, never from a generator of our own.
//
// RandomSource is the seam that lets tests be deterministic. SystemRandom asks the kernel each time
// (a system call, about 0.4 us); RandomBuffer draws 4 KiB at a time for the hot path. Failure of
// the kernel's generator ends the process: there is nothing sensible to do without it.

#pragma once

#include <cstddef>

#include "crypto/base/bytes.h"

namespace paravent::crypto {

// Fills `out` with random bytes from the kernel. Thread safe.
void random_bytes(MutableBytes out) noexcept;

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableBytes out) noexcept = 0;
};

// Thread safe.
class SystemRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) noexcept override { random_bytes(out); }
};

// One per worker, used by that thread only. Bytes are wiped from the buffer as they are handed out.
// The buffer is one locked mapping, left out of core dumps and emptied by the kernel in a child
// after fork; where the kernel does not offer that, the process id is compared instead.
class RandomBuffer final : public RandomSource {
 public:
  RandomBuffer();
  ~RandomBuffer() override;
  RandomBuffer(const RandomBuffer&) = delete;
  RandomBuffer& operator=(const RandomBuffer&) = delete;

  void fill(MutableBytes out) noexcept override;

 private:
  struct Page;

  Page* page_;
  int owner_pid_;  // 0: the kernel wipes the page on fork, no comparison needed
};

}  // namespace paravent::crypto
