// OpenSSL's memory for keyed contexts: while a SecretScope lives, what OpenSSL allocates on this
// thread comes from the guarded arena (crypto/base/secret_arena.h), because a key schedule begins
// with the key. Everything else of OpenSSL stays on the heap.

#pragma once

#include "crypto/base/result.h"

namespace paravent::crypto {

// Before OpenSSL allocates anything, once, at the beginning of main. ErrorKind::internal: too late;
// then the scopes do nothing. Programs that do not call it (tests) keep the heap.
Status install_openssl_memory() noexcept;

// At the end of main, before the arena is wiped: OpenSSL lets go of what it keeps there. Nothing of
// OpenSSL may be used afterwards.
void finish_openssl() noexcept;

class SecretScope {
 public:
  SecretScope() noexcept;
  ~SecretScope();
  SecretScope(const SecretScope&) = delete;
  SecretScope& operator=(const SecretScope&) = delete;

 private:
  bool before_;
};

}  // namespace paravent::crypto
