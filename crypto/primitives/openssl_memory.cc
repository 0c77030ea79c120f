#include "crypto/primitives/openssl_memory.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "crypto/base/out_of_memory.h"
#include "crypto/base/secret_arena.h"

namespace paravent::crypto {
namespace {

// What no heap gives, and the sanitizers' do not like to be asked for.
constexpr std::size_t kMost = PTRDIFF_MAX;

// Set by SecretScope alone; a cipher context says by its address where it came from.
thread_local bool secret_scope = false;

void release_to_arena(void* block) noexcept {
  SecretArena& arena = SecretArena::process();
  arena.release(static_cast<std::uint8_t*>(block), arena.size_of(block));
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  // No context is as large as that; beyond it a block would not be known for the arena's.
  if (size > (secret_scope ? SecretArena::kLargest : kMost)) return nullptr;
  if (!secret_scope || size == 0) return std::malloc(size);
  void* block = nullptr;
  // OpenSSL's frames are no place for an exception; and what a context that could not be made looks
  // like, a value that does not open, would be kept on record as a damaged one.
  if (!with_memory([&] { block = SecretArena::process().allocate(size); })) std::abort();
  return block;
}

void release(void* block, const char* /*file*/, int /*line*/) {
  if (SecretArena::process().contains(block)) {
    release_to_arena(block);
  } else {
    std::free(block);
  }
}

void* reallocate(void* block, std::size_t size, const char* file, int line) {
  if (block == nullptr) return allocate(size, file, line);
  if (size == 0) {
    release(block, file, line);
    return nullptr;
  }
  if (!SecretArena::process().contains(block)) {
    return size <= kMost ? std::realloc(block, size) : nullptr;
  }
  const SecretScope scope;
  void* larger = allocate(size, file, line);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, std::min(size, SecretArena::process().size_of(block)));
  release_to_arena(block);
  return larger;
}

}  // namespace

Status install_openssl_memory() noexcept {
  if (CRYPTO_set_mem_functions(allocate, reallocate, release) == 1) return {};
  return Error(ErrorKind::internal);
}

void finish_openssl() noexcept { OPENSSL_cleanup(); }

SecretScope::SecretScope() noexcept : before_(secret_scope) { secret_scope = true; }

SecretScope::~SecretScope() { secret_scope = before_; }

}  // namespace paravent::crypto
