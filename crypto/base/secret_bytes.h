// SecretBytes: the only home of keys and of clear values on their way out.
//
// Its memory comes from the one guarded arena of the process (secret_arena.h): locked, left out of
// core dumps, wiped when it is released. Move-only, and nothing prints it: there is no operator<<,
// no conversion to a string, and bytes() is the one place where the contents are borrowed. Not for
// the hot path: the arena has a lock. Owned by one thread at a time.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "crypto/base/bytes.h"

namespace paravent::crypto {

class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  // Zero-filled. Throws std::bad_alloc.
  explicit SecretBytes(std::size_t size);
  // A copy of `bytes`; the caller wipes its own.
  static SecretBytes copy_of(ByteView bytes);
  static SecretBytes copy_of(std::string_view text) { return copy_of(as_bytes(text)); }

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  SecretBytes clone() const { return copy_of(bytes()); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  ByteView bytes() const noexcept { return {data_, size_}; }
  MutableBytes mutable_bytes() noexcept { return {data_, size_}; }

 private:
  void release() noexcept;

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Overwrites memory in a way that the compiler may not remove: it is told that the bytes are read
// afterwards. Inline, because blocks of a size that is known are wiped many times per request, each
// by a store or two.
inline void wipe(MutableBytes bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  __asm__ volatile("" : : "r"(bytes.data()) : "memory");
}
template <std::size_t size>
inline void wipe(std::array<std::uint8_t, size>& bytes) noexcept {
  std::memset(bytes.data(), 0, size);
  __asm__ volatile("" : : "r"(bytes.data()) : "memory");
}
// The whole capacity.
void wipe(std::string& text) noexcept;

// Compares without an early exit; false at once when the sizes differ.
bool equal_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace paravent::crypto
