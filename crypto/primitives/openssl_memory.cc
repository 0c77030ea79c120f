#include "crypto/primitives/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "crypto/base/secret_arena.h"

namespace paravent::crypto {
namespace {

// Blocks from this size on are wiped when OpenSSL frees them (RFC 8446 5.1: a record's plaintext
// has up to 2^14 bytes).
constexpr std::size_t kRecordSize = std::size_t{1} << 14U;
// They begin at a page, as next to no smaller block does: so nearly every block is told from them
// by its address, and its size need not be looked up, of which a handshake has thousands.
constexpr std::size_t kPage = 4096;

// Set by SecretScope alone; a cipher context says by its address where it came from.
thread_local bool secret_scope = false;

void release_to_arena(void* block) noexcept {
  SecretArena& arena = SecretArena::process();
  arena.release(static_cast<std::uint8_t*>(block), arena.size_of(block));
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  if (secret_scope && size > 0 && size <= SecretArena::kLargest) {
    return SecretArena::process().allocate(size);
  }
  if (size < kRecordSize) return std::malloc(size);
  if (size > PTRDIFF_MAX - kPage) return nullptr;
  return std::aligned_alloc(kPage, (size + kPage - 1) / kPage * kPage);
}

bool may_be_record(const void* block) noexcept {
  return reinterpret_cast<std::uintptr_t>(block) % kPage == 0;
}

void release(void* block, const char* /*file*/, int /*line*/) {
  if (SecretArena::process().contains(block)) {
    release_to_arena(block);
    return;
  }
  // Records of TLS, decrypted in place: OpenSSL lets go of them after each read and wipes nothing.
  if (may_be_record(block)) {
    const std::size_t size = ::malloc_usable_size(block);
    if (size >= kRecordSize) ::explicit_bzero(block, size);
  }
  std::free(block);
}

void* reallocate(void* block, std::size_t size, const char* file, int line) {
  if (!SecretArena::process().contains(block)) {
    if (size < kRecordSize && !may_be_record(block)) return std::realloc(block, size);
    if (size == 0) {
      release(block, file, line);
      return nullptr;
    }
    // By hand: what is moved is wiped where it was, and begins at a page where it is large.
    void* const moved = allocate(size, file, line);
    if (moved == nullptr || block == nullptr) return moved;
    std::memcpy(moved, block, std::min(size, ::malloc_usable_size(block)));
    release(block, file, line);
    return moved;
  }
  if (size == 0) {
    release_to_arena(block);
    return nullptr;
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
