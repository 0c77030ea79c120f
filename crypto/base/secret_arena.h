// SecretArena: the one guarded place in memory that keys lie in.
//
// One mapping, reserved at the first use and never moved, with a guard page at either end. It is
// locked (mlock), left out of core dumps (MADV_DONTDUMP) and grows in steps of 256 KiB, each of
// which is locked before anything lies in it. Blocks come in size classes; behind each stands a
// canary that is compared when the block is freed (a broken one ends the process), and every block
// is wiped when it is freed. What is larger than the largest class (values on their way out, files)
// gets a mapping of its own with guard pages of its own, treated the same way.
//
// There is one arena in a process (docs/decisions/0022-memory.md says why), behind SecretBytes,
// SecretAllocator and the cipher contexts of OpenSSL. Thread safe; one lock; not for the hot path.
// Locking may fail (RLIMIT_MEMLOCK): lock_status() has the sentence, statistics() the bytes, and a
// gateway asks at its start and does not start without.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "crypto/base/result.h"

namespace paravent::crypto {

class SecretArena {
 public:
  struct Statistics {
    std::size_t in_use = 0;    // bytes asked for and not freed yet
    std::size_t locked = 0;    // bytes of memory that the kernel has locked for us
    std::size_t unlocked = 0;  // bytes that it has refused to lock
  };

  static constexpr std::size_t kAlignment = 16;
  static constexpr std::size_t kLargest = 16384;

  // The arena of this process, made at the first call. It is never destroyed, so that no secret
  // outlives it.
  static SecretArena& process() noexcept;

  SecretArena(const SecretArena&) = delete;
  SecretArena& operator=(const SecretArena&) = delete;

  // Zero-filled, aligned to kAlignment; never null. Throws std::bad_alloc. REQUIRES: size > 0.
  std::uint8_t* allocate(std::size_t size);
  // Wipes. REQUIRES: `block` came from allocate(size), with this size.
  void release(std::uint8_t* block, std::size_t size) noexcept;
  // What was asked for. REQUIRES: contains(block), and `block` is in use.
  std::size_t size_of(const void* block) const noexcept;
  // Whether the address lies in the arena. Blocks larger than kLargest have mappings of their own
  // and do not.
  bool contains(const void* address) const noexcept {
    return reinterpret_cast<std::uintptr_t>(address) - begin_ < kReserved;
  }

  // Makes sure that at least this much is there and locked, before it is needed.
  void reserve(std::size_t bytes) noexcept;
  Statistics statistics() const noexcept;
  // ErrorKind::configuration, naming the limit and what to set, once anything could not be locked.
  Status lock_status() const;

  // Overwrites everything that lies in the arena. For the end of the process, when no thread uses a
  // secret any more; what is released later is not looked at.
  void wipe_everything() noexcept;

 private:
  SecretArena() noexcept;
  ~SecretArena() = default;

  static constexpr std::size_t kReserved = std::size_t{512} << 20U;  // address space, not memory

  struct State;
  State* state_;
  std::uintptr_t begin_ = 0;  // behind the first guard page, as state_->begin
};

// Standard containers and shared objects whose contents are key material.
template <typename T>
class SecretAllocator {
 public:
  using value_type = T;
  static_assert(alignof(T) <= SecretArena::kAlignment);

  SecretAllocator() noexcept = default;
  template <typename U>
  SecretAllocator(const SecretAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    return reinterpret_cast<T*>(SecretArena::process().allocate(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    SecretArena::process().release(reinterpret_cast<std::uint8_t*>(memory), count * sizeof(T));
  }
  template <typename U>
  bool operator==(const SecretAllocator<U>&) const noexcept {
    return true;
  }
};

// A shared object whose contents are key material: the state of an HMAC is as good as its key.
template <typename T>
std::shared_ptr<const T> share_in_arena(T made) {
  return std::allocate_shared<T>(SecretAllocator<T>(), std::move(made));
}

}  // namespace paravent::crypto
