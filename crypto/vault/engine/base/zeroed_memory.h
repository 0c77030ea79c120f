// ZeroedMemory: one large piece of memory of zeros, from the system itself: taken at once, touched
// only where it is used, in huge pages where it is large and the system has them, and left out of
// core dumps. For the vault's two memories of tokens; no secrets (crypto/base/secret_arena.h has
// those).

#pragma once

#include <cstddef>

namespace paravent::crypto::vault {

class ZeroedMemory {
 public:
  // 0, or more than the system gives: empty.
  explicit ZeroedMemory(std::size_t bytes) noexcept;
  ZeroedMemory(const ZeroedMemory&) = delete;
  ZeroedMemory& operator=(const ZeroedMemory&) = delete;
  ~ZeroedMemory();

  // All of it is zeros again, and taken no more. Others may read meanwhile: they see what was
  // there, or zeros.
  void discard() noexcept;

  bool empty() const noexcept { return data_ == nullptr; }
  // Begins where a huge page does; `bytes` of it.
  char* data() const noexcept { return data_; }

 private:
  void* map_ = nullptr;
  std::size_t mapped_ = 0;
  char* data_ = nullptr;
};

}  // namespace paravent::crypto::vault
